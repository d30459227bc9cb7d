"""Time with a zone; nothing in DataMate handles naive datetimes."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return this instant in UTC."""
    return datetime.now(UTC)
