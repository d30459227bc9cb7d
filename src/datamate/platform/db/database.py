"""The connection pool of one process and the two ways to use it: a transaction, or plain reads."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import cast
from urllib.parse import parse_qs, urlsplit

import asyncpg
import orjson
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from datamate.config.database import DatabaseSettings
from datamate.platform.db.errors import CONNECT_FAILURES, connect_error, statement_error
from datamate.platform.db.session import ReadOnlySession, Session

CONNECT_TIMEOUT_SECONDS = 10.0
IDLE_IN_TRANSACTION = "300s"
"""When PostgreSQL ends a transaction whose process does nothing; a frozen one would hold its locks for ever."""


async def connect(url: str, *, application_name: str = "datamate") -> asyncpg.Connection:
    """Open one connection outside any pool, for LISTEN and for heartbeats.

    Args:
        url: `postgresql://user:password@host:port/name`; a socket folder goes into `?host=/folder`.
        application_name: What `pg_stat_activity` shows.

    Raises:
        UnavailableError: The server does not answer.
        ConfigurationError: The server refuses the user, the password or the database.
    """
    try:
        return await asyncpg.connect(
            url,
            timeout=CONNECT_TIMEOUT_SECONDS,
            server_settings={
                "application_name": application_name,
                "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION,
            },
        )
    except CONNECT_FAILURES as error:
        raise connect_error(error, where=address(url)) from error


def address(url: str) -> str:
    """Return host, port and database of a URL, for messages: never the password."""
    parts = urlsplit(url)
    folder = parse_qs(parts.query).get("host", [""])[0]
    return f"{folder or parts.netloc.rpartition('@')[2]}{parts.path}"


class Database:
    """PostgreSQL as one process sees it: a pool of limited size that reconnects by itself."""

    def __init__(self, settings: DatabaseSettings, url: str) -> None:
        """Make the pool; the first connection is opened on first use.

        Args:
            settings: Limits of the pool.
            url: `postgresql://user:password@host:port/name`; a socket folder goes into `?host=/folder`.
        """
        self.url = url
        self._engine = _create_engine(settings, url)
        self._autocommit = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """Open a transaction: commits when the block ends, rolls back when it raises.

        Raises:
            UnavailableError: No connection came free in time, or the server is away. When the connection breaks
                during the commit itself, the commit may or may not have happened.
        """
        with _meaningful_errors():
            async with Session(self._engine) as session:
                yield session
                await session.complete()

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[Session]:
        """Open a session for reads in AUTOCOMMIT, which costs a third less than a transaction.

        Raises:
            UnavailableError: No connection came free in time, or the server is away.
        """
        with _meaningful_errors():
            async with ReadOnlySession(self._autocommit) as session:
                yield session

    @asynccontextmanager
    async def driver(self) -> AsyncIterator[asyncpg.Connection]:
        """Lend a connection of asyncpg itself, for the few statements that are hot enough to leave SQLAlchemy out.

        Each statement is a transaction of its own. JSON goes in as text and comes out decoded.

        Raises:
            UnavailableError: No connection came free in time, or the server is away.
        """
        with _meaningful_errors():
            async with self._autocommit.connect() as connection:
                yield cast("asyncpg.Connection", (await connection.get_raw_connection()).driver_connection)

    async def close(self) -> None:
        """Close every connection of the pool."""
        await self._engine.dispose()


@contextmanager
def _meaningful_errors() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, PoolTimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        meaning = statement_error(error)
        if meaning is None:
            raise
        raise meaning from error


def _create_engine(settings: DatabaseSettings, url: str) -> AsyncEngine:
    kept = min(settings.pool_kept_connections, settings.pool_max_connections)
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: connect(url),
        pool_size=kept or 1,
        max_overflow=settings.pool_max_connections - (kept or 1),
        pool_timeout=settings.pool_wait_seconds,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    return engine


def _refuse_closed(connection: DBAPIConnection, _entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
    """Have the pool replace a connection whose socket is known to be closed; costs no round trip."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError
