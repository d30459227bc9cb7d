"""The first administrator of an empty installation."""
