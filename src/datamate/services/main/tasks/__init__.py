"""Tasks of every service, as their owners see them."""
