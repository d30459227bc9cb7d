"""Runs tasks in worker processes of this machine, which start in milliseconds and die with their parent."""
