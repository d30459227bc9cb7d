"""Blobs: the content of files, each kept once under its BLAKE3 hash."""
