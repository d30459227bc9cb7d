"""HTTP building blocks of every service: the application, the two transports, event streams, the server."""
