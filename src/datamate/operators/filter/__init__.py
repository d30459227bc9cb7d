"""Operators that measure each row and drop those out of bounds."""
