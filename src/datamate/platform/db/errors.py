"""What a failing PostgreSQL means to a caller, in DataMate's own errors."""

import asyncio

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from datamate.core.errors import (
    ConfigurationError,
    DatamateError,
    InvalidInputError,
    StorageFullError,
    UnavailableError,
)

_REFUSED = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)
CONNECT_FAILURES = (OSError, asyncio.TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""Every exception that opening a connection may end with."""


class DatabaseBusyError(UnavailableError):
    """Another transaction changed the same rows at the same moment; try again."""

    code = "database_busy"


class PostgresAwayError(UnavailableError):
    """PostgreSQL does not answer; try again."""

    @property
    def public_detail(self) -> str:
        """The same without the address of the server."""
        return "PostgreSQL does not answer; try again."


def connect_error(error: Exception, *, where: str) -> DatamateError:
    """Return why no connection could be opened.

    Args:
        error: What asyncpg or the socket raised.
        where: Address of the server, without the password.
    """
    if isinstance(error, asyncpg.ClientConfigurationError):
        return ConfigurationError(f"The address of PostgreSQL ({where}) is not usable: {error}.")
    if isinstance(error, _REFUSED):
        return ConfigurationError(f"PostgreSQL at {where} refuses this process: {error}. Check DATAMATE_DATABASE__URL.")
    reason = str(error) or type(error).__name__
    return PostgresAwayError(f"PostgreSQL at {where} does not answer ({reason}); try again.")


def statement_error(error: Exception) -> DatamateError | None:
    """Return what a failed statement means to the caller, or None when it is the caller's own to interpret."""
    if isinstance(error, PoolTimeoutError):
        return UnavailableError("All database connections of this process are busy; try again in a moment.")
    if isinstance(error, asyncpg.InterfaceError) or (isinstance(error, DBAPIError) and error.connection_invalidated):
        return UnavailableError("The connection to PostgreSQL broke; try again.")
    return _by_sqlstate(getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlstate", None))


def _by_sqlstate(sqlstate: str | None) -> DatamateError | None:
    match sqlstate:
        case "40001" | "40P01" | "55P03":
            return DatabaseBusyError()
        case "53100":
            return StorageFullError("The disk of PostgreSQL is full; free some space and try again.")
        case "57P01" | "57P02" | "57P03" | "53300" | "08000" | "08003" | "08006":
            return UnavailableError("PostgreSQL is shutting down, starting or full; try again.")
        case "22P05" | "22021":
            return InvalidInputError("The text holds a NUL character, which PostgreSQL cannot store; remove it.")
        case _:
            return None
