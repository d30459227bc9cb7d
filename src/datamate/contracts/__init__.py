"""Every wire type and every event, declared once."""
