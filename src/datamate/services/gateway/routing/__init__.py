"""Which service answers an address."""
