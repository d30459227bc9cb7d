"""Migrations of schema `runtime`."""
