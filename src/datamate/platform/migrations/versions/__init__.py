"""Revisions of schema `platform`."""
