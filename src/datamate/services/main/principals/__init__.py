"""Who a user is at this moment, for the gateway and the worker."""
