"""Revisions of schema `main`."""
