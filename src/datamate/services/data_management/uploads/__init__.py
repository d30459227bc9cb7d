"""Uploads: files that arrive one by one and become one version together."""
