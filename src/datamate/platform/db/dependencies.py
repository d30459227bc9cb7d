"""The database as FastAPI dependencies: one session scope per request."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request

from datamate.platform.db.database import Database
from datamate.platform.db.session import Session


async def get_session(request: Request) -> AsyncIterator[Session]:
    """Yield the transaction of this request; it commits before the response is sent."""
    async with _database(request).transaction() as session:
        yield session


async def get_reader(request: Request) -> AsyncIterator[Session]:
    """Yield a session for the reads of this request."""
    async with _database(request).reader() as session:
        yield session


def _database(request: Request) -> Database:
    database: Database = request.app.state.resources.database
    return database


# scope="function": FastAPI otherwise commits after the response, and a failed commit would still be a 201.
WriteSession = Annotated[Session, Depends(get_session, scope="function")]
ReadSession = Annotated[Session, Depends(get_reader, scope="function")]
