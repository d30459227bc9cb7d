"""Runs recipes: planning, partitions, workers, checkpoints, deduplication and the account of every row."""
