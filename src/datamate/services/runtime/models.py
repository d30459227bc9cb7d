"""The base class of the rows of schema `runtime`."""

from typing import Final

from sqlalchemy.orm import DeclarativeBase

from datamate.platform.db import schema_metadata

SCHEMA: Final = "runtime"


class Base(DeclarativeBase):
    """Base of the tables that the runtime service owns."""

    metadata = schema_metadata(SCHEMA)
