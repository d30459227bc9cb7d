"""Operators that give each row a key and keep the first row of each key."""
