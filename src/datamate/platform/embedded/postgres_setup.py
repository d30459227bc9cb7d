"""Makes a new PostgreSQL data folder, whole or not at all, and sets the passwords of its two roles."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from datamate.platform.embedded.account import EngineAccount, setup_account
from datamate.platform.embedded.binaries import postgres_programs
from datamate.platform.embedded.command import folder_argument, run_tool
from datamate.platform.embedded.folders import give, private_folder, remove_half_made, sync_folder
from datamate.platform.embedded.secret_file import new_secret, read_secret, write_secret

DATABASE = "datamate"
ROLE = "datamate"
SUPERUSER = "postgres"

_INITDB_OPTIONS = (
    f"--username={SUPERUSER}",
    "--auth=reject",  # replaced by our own pg_hba.conf before the server ever listens
    "--encoding=UTF8",
    "--locale=C",
    # Independent of the C library, so that an upgrade of the system never invalidates an index.
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--data-checksums",
    "--no-instructions",
    *(("--sync-method=syncfs",) if sys.platform == "linux" else ()),  # one call instead of one a file
)
_HBA = """\
# Written by DataMate when it made this folder: passwords for everybody, local connections only.
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
host all all ::1/128 scram-sha-256
"""
# A statement that fails ends the tool, and a password never reaches its output.
_SINGLE_USER_OPTIONS = ("-c", "exit_on_error=on", "-c", "log_min_error_statement=panic")


@dataclass(frozen=True, slots=True)
class Passwords:
    """The passwords of the superuser and of the role that DataMate signs in as."""

    superuser: str = field(repr=False)
    role: str = field(repr=False)


async def make_data_folder(data: Path, *, account: EngineAccount | None, secrets: Path, lock: int) -> Passwords:
    """Make the data folder `data` with an empty database, next to its final place, and move it there when complete."""
    half_made = data.with_name(f"{data.name}.tmp")
    remove_half_made(half_made)
    maker = setup_account()
    private_folder(half_made, maker)
    initdb = str(postgres_programs(maker) / "initdb")
    argv = (initdb, f"--pgdata={folder_argument(half_made, maker)}", *_INITDB_OPTIONS)
    await run_tool(argv, half_made, account=maker, lock=lock)
    (half_made / "pg_hba.conf").write_text(_HBA, "utf-8")
    passwords = Passwords(new_secret(), new_secret())
    statements = (
        f"CREATE ROLE {ROLE} LOGIN PASSWORD '{passwords.role}'",
        f"ALTER ROLE {SUPERUSER} PASSWORD '{passwords.superuser}'",
        f"CREATE DATABASE {DATABASE} OWNER {ROLE}",
    )
    await _execute(half_made, account=maker, lock=lock, statements=statements)
    give(half_made, account)
    half_made.rename(data)
    sync_folder(data.parent)
    _write(secrets, passwords)
    return passwords


async def reset_passwords(data: Path, *, account: EngineAccount | None, secrets: Path, lock: int) -> Passwords:
    """Give both roles new passwords; the way back when the secrets of an existing data folder were lost."""
    passwords = Passwords(new_secret(), new_secret())
    statements = (
        f"ALTER ROLE {ROLE} PASSWORD '{passwords.role}'",
        f"ALTER ROLE {SUPERUSER} PASSWORD '{passwords.superuser}'",
    )
    maker = setup_account()
    give(data, maker)
    await _execute(data, account=maker, lock=lock, statements=statements)
    give(data, account)
    _write(secrets, passwords)
    return passwords


def read_passwords(secrets: Path) -> Passwords | None:
    """Return the passwords of an existing data folder, or None if one is missing."""
    superuser, role = read_secret(secrets / "postgres-superuser"), read_secret(secrets / "postgres")
    return None if superuser is None or role is None else Passwords(superuser, role)


def _write(secrets: Path, passwords: Passwords) -> None:
    write_secret(secrets / "postgres-superuser", passwords.superuser)
    write_secret(secrets / "postgres", passwords.role)


async def _execute(data: Path, *, account: EngineAccount | None, lock: int, statements: tuple[str, ...]) -> None:
    """Run statements without a server or a client library: PostgreSQL's single-user mode, one statement a line."""
    postgres = str(postgres_programs(account) / "postgres")
    argv = (postgres, "--single", "-D", folder_argument(data, account), *_SINGLE_USER_OPTIONS, "postgres")
    await run_tool(argv, data, account=account, lock=lock, stdin="".join(f"{line}\n" for line in statements))
