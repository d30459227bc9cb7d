"""Bringing the tables of one schema up to date with Alembic, one process at a time."""

import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateSchema, SchemaItem

from datamate.platform.db.database import connect

ENVIRONMENT_FOLDER = Path(__file__).parent / "alembic"
PLATFORM_MIGRATIONS = Path(__file__).parents[1] / "migrations"
"""The script folder of schema `platform`."""


async def upgrade(database_url: str, schema: str, script_folder: Path) -> None:
    """Make the schema if needed and apply what is missing; processes that call this at once wait for each other.

    Args:
        database_url: `postgresql://…`, as `Database` takes it.
        schema: Name of the PostgreSQL schema.
        script_folder: The service's `migrations` folder; its revisions are in `versions/`.

    Raises:
        UnavailableError: PostgreSQL does not answer.
        ConfigurationError: PostgreSQL refuses this process.
    """
    async with _connection(database_url) as connection:
        lock = zlib.crc32(f"datamate migrations of {schema}".encode())
        await connection.execute(select(func.pg_advisory_lock(lock)))
        await connection.execute(CreateSchema(schema, if_not_exists=True))
        await connection.commit()
        await connection.run_sync(_upgrade, schema, script_folder)
        # The lock belongs to the session, so it also goes away when this process dies.
        await connection.execute(select(func.pg_advisory_unlock(lock)))


async def pending(database_url: str, schema: str, script_folder: Path) -> tuple[str, ...]:
    """Return the revisions that `upgrade` would apply, oldest first; empty when the schema is up to date."""
    async with _connection(database_url) as connection:
        return await connection.run_sync(_pending, schema, script_folder)


async def drift(database_url: str, metadata: MetaData) -> list[str]:
    """Return how the tables of a schema differ from their models, one line each; empty when they agree."""
    async with _connection(database_url) as connection:
        return await connection.run_sync(_drift, metadata)


@asynccontextmanager
async def _connection(database_url: str) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: connect(database_url), poolclass=NullPool
    )
    async with engine.connect() as connection:
        yield connection


def _config(connection: Connection, schema: str, script_folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", _escaped(ENVIRONMENT_FOLDER))
    config.set_main_option("version_locations", _escaped(script_folder / "versions"))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    config.attributes["schema"] = schema
    return config


def _escaped(folder: Path) -> str:
    """Return a path for a configuration that treats % as the start of a substitution."""
    return str(folder).replace("%", "%%")


def _upgrade(connection: Connection, schema: str, script_folder: Path) -> None:
    command.upgrade(_config(connection, schema, script_folder), "head")
    connection.commit()


def _pending(connection: Connection, schema: str, script_folder: Path) -> tuple[str, ...]:
    scripts = ScriptDirectory.from_config(_config(connection, schema, script_folder))
    current = MigrationContext.configure(connection, opts={"version_table_schema": schema}).get_current_heads()
    missing = [script.revision for script in scripts.iterate_revisions("heads", current or "base")]
    return tuple(reversed(missing))


def _drift(connection: Connection, metadata: MetaData) -> list[str]:
    schema = metadata.schema

    def in_schema(name: str | None, kind: str, _parents: object) -> bool:
        return name == schema if kind == "schema" else True

    def ours(_item: SchemaItem, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:  # noqa: FBT001
        return not (kind == "table" and name == "alembic_version")

    options = {
        "include_schemas": True,
        "include_name": in_schema,
        "include_object": ours,
        "compare_type": True,
        "compare_server_default": True,
    }
    differences: Sequence[object] = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    return [_describe(difference) for difference in differences]


def _describe(difference: object) -> str:
    """Return a difference as Alembic's words for it and the names of what it concerns."""
    if isinstance(difference, list):  # the changes of one column
        return "; ".join(_describe(change) for change in difference)
    if not isinstance(difference, tuple):
        return repr(difference)
    names = (getattr(part, "fullname", None) or getattr(part, "name", None) or part for part in difference)
    return " ".join(str(name) for name in names if isinstance(name, str | int | bool))
