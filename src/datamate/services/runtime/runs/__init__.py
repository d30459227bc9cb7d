"""Runs: one execution of a recipe over a dataset version."""
