"""Starts the whole platform on one machine, keeps it running and stops it: what is behind `datamate up`."""
