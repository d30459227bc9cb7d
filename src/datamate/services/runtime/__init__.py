"""The runtime service: which operators there are, and runs of recipes over dataset versions."""
