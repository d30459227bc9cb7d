"""Accounts for tests."""

PASSWORD = "correct horse battery"
