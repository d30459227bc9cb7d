"""Versions: every state of a dataset, what changed between them, and how a new one is made."""
