"""Wire types and events of the data_management service."""
