"""Revisions of schema `runtime`."""
