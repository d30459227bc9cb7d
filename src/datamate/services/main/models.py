"""The base class of the rows of schema `main`."""

from typing import Final

from sqlalchemy.orm import DeclarativeBase

from datamate.platform.db import schema_metadata

SCHEMA: Final = "main"


class Base(DeclarativeBase):
    """Base of the tables that the main service owns."""

    metadata = schema_metadata(SCHEMA)
