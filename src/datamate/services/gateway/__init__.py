"""The one door: finds the service, verifies the caller, forwards, and lets nothing doubtful through."""
