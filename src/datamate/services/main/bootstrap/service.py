"""Makes the first administrator of an empty installation, once, however many processes try."""

import secrets
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from datamate.config.identity import BootstrapSettings
from datamate.contracts.main.events import UserChanged
from datamate.core.errors import ConfigurationError
from datamate.platform.db import Database, Session
from datamate.platform.embedded.secret_file import write_secret
from datamate.platform.security import PasswordHasher
from datamate.services.main.bootstrap import repository
from datamate.services.main.users import repository as users
from datamate.services.main.users.passwords import password_text

PASSWORD_FILE: Final = "admin-password"  # noqa: S105 - the name of the file

_PASSWORD_CHARS: Final = 24
_ALPHABET: Final = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class FirstAdministrator:
    """The administrator that was just made.

    Attributes:
        username: Its name.
        password: The random password, or None when the configuration named one.
        password_file: Where the random password was written, or None when the configuration named one.
    """

    username: str
    password: SecretStr | None
    password_file: Path | None


async def make_first_administrator(
    database: Database, settings: BootstrapSettings, *, home: Path, passwords: PasswordHasher
) -> FirstAdministrator | None:
    """Make an administrator if there is no user at all; return None if there is one.

    Args:
        database: At the newest schema.
        settings: The name, and the password if it shall not be random.
        home: DATAMATE_HOME, where a random password is written for its owner's eyes.
        passwords: Hashes the password.

    Raises:
        ConfigurationError: The random password cannot be written; nobody was made.
    """
    async with database.reader() as session:
        if await users.has_users(session):
            return None
    password = settings.admin_password or _random_password()
    password_hash = await passwords.hash(password_text(password))
    async with database.transaction() as session:
        await repository.lock_bootstrap(session)
        if await users.has_users(session):
            return None
        await _insert(session, settings.admin_username, password_hash)
        if settings.admin_password is not None:
            return FirstAdministrator(settings.admin_username, password=None, password_file=None)
        # Before the commit: a crash in between leaves a password for nobody, never an administrator without one.
        path = _write_password(home, password)
    return FirstAdministrator(settings.admin_username, password=password, password_file=path)


async def _insert(session: Session, username: str, password_hash: str) -> None:
    row = await users.insert_user(
        session, username=username, password_hash=password_hash, email=None, role=users.ADMIN_ROLE
    )
    if row is not None:  # always: the lock keeps other first administrators out, and there was no user
        session.publish(UserChanged(aggregate_id=str(row.id), aggregate_version=row.version))


def _random_password() -> SecretStr:
    return SecretStr("".join(secrets.choice(_ALPHABET) for _ in range(_PASSWORD_CHARS)))


def _write_password(home: Path, password: SecretStr) -> Path:
    path = home / PASSWORD_FILE
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_secret(path, password.get_secret_value())
    except OSError as error:
        raise ConfigurationError(
            f"The first administrator's password cannot be written to {path}: {error.strerror}. Make DATAMATE_HOME a "
            "folder that this process may write to, or name a password in DATAMATE_BOOTSTRAP__ADMIN_PASSWORD."
        ) from error
    return path
