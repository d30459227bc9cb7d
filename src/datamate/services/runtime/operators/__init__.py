"""The catalogue of operators."""
