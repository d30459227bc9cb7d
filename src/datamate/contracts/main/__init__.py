"""Wire types and events of the main service."""
