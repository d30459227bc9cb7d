"""The base class of the rows of schema `data_management`."""

from typing import Final

from sqlalchemy.orm import DeclarativeBase

from datamate.platform.db import schema_metadata

SCHEMA: Final = "data_management"


class Base(DeclarativeBase):
    """Base of the tables that the data_management service owns."""

    metadata = schema_metadata(SCHEMA)
