"""The documents of all services as one."""
