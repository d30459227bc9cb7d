"""Databases for tests: migrated once, emptied after each test, compared with their models."""

from pathlib import Path

import asyncpg

import datamate
from datamate.platform.db.database import connect
from datamate.platform.db.migrations import PLATFORM_MIGRATIONS, upgrade
from datamate.platform.db.platform_base import PLATFORM_SCHEMA

SERVICES = Path(datamate.__file__).parent / "services"
SEED_SCHEMA = "test_seed"


def migration_folders() -> dict[str, Path]:
    """Return the script folder of each schema: the platform's, then each service's."""
    services = {folder.parent.name: folder for folder in sorted(SERVICES.glob("*/migrations"))}
    return {PLATFORM_SCHEMA: PLATFORM_MIGRATIONS} | services


async def create_database(admin_url: str, name: str, *, template: str = "template1") -> None:
    connection = await connect(admin_url)
    try:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
    finally:
        await connection.close()


async def drop_database(admin_url: str, name: str) -> None:
    connection = await connect(admin_url)
    try:
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await connection.close()


async def migrate(url: str) -> None:
    for schema, folder in migration_folders().items():
        await upgrade(url, schema, folder)


class Reset:
    """Brings a migrated database back to what the migrations left, in one round trip."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._script = ""

    async def prepare(self) -> None:
        """Keep a copy of the rows that the migrations made."""
        connection = await connect(self._url)
        try:
            await connection.execute(f"CREATE SCHEMA {SEED_SCHEMA}")
            self._script = await self._write_script(connection)
        finally:
            await connection.close()

    async def run(self) -> None:
        connection = await connect(self._url)
        try:
            await connection.execute(self._script)
        finally:
            await connection.close()

    async def _write_script(self, connection: asyncpg.Connection) -> str:
        tables = await connection.fetch(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY($1) AND tablename <> 'alembic_version'",
            list(migration_folders()),
        )
        # As a replica no foreign key is checked, so that the order does not matter.
        script = ["SET lock_timeout = '5s'", "SET session_replication_role = replica"]
        for schema, table in tables:
            name = f'"{schema}"."{table}"'
            script.append(f"DELETE FROM {name}")
            if await connection.fetchval(f"SELECT EXISTS (SELECT FROM {name})"):
                seed = f'{SEED_SCHEMA}."{schema}.{table}"'
                await connection.execute(f"CREATE TABLE {seed} AS TABLE {name}")
                script.append(f"INSERT INTO {name} OVERRIDING SYSTEM VALUE SELECT * FROM {seed}")
        return ";\n".join(script)
