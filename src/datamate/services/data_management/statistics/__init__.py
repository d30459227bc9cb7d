"""Running totals over all datasets."""
