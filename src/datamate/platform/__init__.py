"""Building blocks of servers: database, events, tasks, cache, HTTP, security, telemetry and embedded engines."""
