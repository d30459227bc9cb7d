"""Wire types and events of the runtime service."""
