"""PostgreSQL: sessions, the outbox, migrations (`db.migrations`) and the schema document (`db.schema_document`)."""

from datamate.platform.db.base import schema_metadata
from datamate.platform.db.database import Database
from datamate.platform.db.dependencies import ReadSession, WriteSession, get_reader, get_session
from datamate.platform.db.session import Session

__all__ = [
    "Database",
    "ReadSession",
    "Session",
    "WriteSession",
    "get_reader",
    "get_session",
    "schema_metadata",
]
