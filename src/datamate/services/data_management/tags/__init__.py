"""Tags: words that group datasets."""
