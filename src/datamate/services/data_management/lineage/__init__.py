"""Lineage: which versions a version was made from."""
