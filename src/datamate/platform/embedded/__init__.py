"""The real PostgreSQL and Redis of a one-machine installation: how they are set up, started and reached."""
