"""Brings every schema to the newest revision, and makes the first administrator of an empty installation.

The administrator is made here and not by a server: this runs once per installation and release, has a terminal more
often than a server has, and needs nothing but PostgreSQL.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from datamate import services
from datamate.app.required import database_url
from datamate.app.services import SERVICES
from datamate.config.root import Settings
from datamate.platform.db import Database
from datamate.platform.db.migrations import PLATFORM_MIGRATIONS, pending, upgrade
from datamate.platform.db.platform_base import PLATFORM_SCHEMA
from datamate.platform.security import PasswordHasher
from datamate.services.main.bootstrap.service import FirstAdministrator, make_first_administrator

_SERVICES_FOLDER = Path(services.__path__[0])


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What a migration did.

    Attributes:
        applied: The revisions by schema, in the order in which they were applied; only schemas that were behind.
        administrator: The first administrator, if it was made now.
    """

    applied: Mapping[str, tuple[str, ...]]
    administrator: FirstAdministrator | None


async def migrate(settings: Settings) -> MigrationReport:
    """Apply what is missing; processes that call this at once wait for each other and then find nothing to do.

    Raises:
        UnavailableError: PostgreSQL does not answer.
        ConfigurationError: Its address is missing, or it refuses this process.
    """
    url = database_url(settings)
    missing = await missing_revisions(settings)
    for schema in missing:
        await upgrade(url, schema, _script_folders()[schema])
    return MigrationReport(applied=missing, administrator=await _first_administrator(settings, url))


async def missing_revisions(settings: Settings) -> Mapping[str, tuple[str, ...]]:
    """Return the revisions that `migrate` would apply, by schema; empty when the database is up to date.

    Raises:
        UnavailableError: PostgreSQL does not answer.
        ConfigurationError: Its address is missing, or it refuses this process.
    """
    url = database_url(settings)
    found = {schema: await pending(url, schema, folder) for schema, folder in _script_folders().items()}
    return {schema: revisions for schema, revisions in found.items() if revisions}


def _script_folders() -> dict[str, Path]:
    """Return the migrations of each schema; the platform's first, because services refer to its tables."""
    owners = [entry.name for entry in SERVICES if entry.has_schema]
    return {PLATFORM_SCHEMA: PLATFORM_MIGRATIONS} | {name: _SERVICES_FOLDER / name / "migrations" for name in owners}


async def _first_administrator(settings: Settings, url: str) -> FirstAdministrator | None:
    database, passwords = Database(settings.database, url), PasswordHasher()
    try:
        return await make_first_administrator(
            database, settings.bootstrap, home=settings.home_folder, passwords=passwords
        )
    finally:
        passwords.close()
        await database.close()
