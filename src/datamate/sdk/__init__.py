"""The public Python client: `from datamate import Client`."""
