"""Datasets: named, versioned sets of files."""
