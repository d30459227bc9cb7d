"""The services behind the gateway, in this process or elsewhere."""
