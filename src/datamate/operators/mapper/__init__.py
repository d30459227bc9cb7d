"""Operators that give each row a new text."""
