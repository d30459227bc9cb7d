"""The base class of the rows in schema `platform`, which any service writes inside its own transaction."""

from sqlalchemy.orm import DeclarativeBase

from datamate.platform.db.base import schema_metadata

PLATFORM_SCHEMA = "platform"


class PlatformBase(DeclarativeBase):
    """Base of the tables that the building blocks own: tasks, events, checkpoints."""

    metadata = schema_metadata(PLATFORM_SCHEMA)
