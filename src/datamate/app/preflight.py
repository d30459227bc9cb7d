"""What is looked at before a process begins to serve, so that a wrong address or password stops the start."""

from collections.abc import Iterable

import structlog
from sqlalchemy import text

from datamate.core.errors import ConfigurationError, UnavailableError
from datamate.platform.db import Database
from datamate.platform.db.platform_base import PLATFORM_SCHEMA
from datamate.platform.redis import Redis, check_redis

_log = structlog.get_logger(__name__)

_HAS_TABLES = text(
    "SELECT schema FROM unnest(CAST(:schemas AS text[])) schema WHERE to_regclass(schema || '.alembic_version') IS NULL"
)


async def check_database(database: Database, services: Iterable[str]) -> None:
    """Refuse a database that cannot be reached or was never migrated.

    Args:
        database: Where the tables are.
        services: Those whose tables are needed.

    Raises:
        UnavailableError: PostgreSQL does not answer.
        ConfigurationError: PostgreSQL refuses this process, or the tables are missing.
    """
    async with database.reader() as session:
        missing = (await session.scalars(_HAS_TABLES, {"schemas": [PLATFORM_SCHEMA, *services]})).all()
    if missing:
        raise ConfigurationError(
            f"The database has no tables for {', '.join(missing)} yet; run `datamate migrate` first."
        )


async def warn_without_redis(redis: Redis) -> None:
    """Refuse wrong credentials for Redis, but only warn when it is away: services work on without it for a while.

    Raises:
        ConfigurationError: Redis refuses this process.
    """
    try:
        await check_redis(redis)
    except UnavailableError as error:
        _log.warning("starting_without_redis", reason=error.detail)
