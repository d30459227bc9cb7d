"""The embedded PostgreSQL of one installation: its folder, its command line, its address and whether it answers."""

import asyncio
import signal
import struct
import sys
from pathlib import Path
from urllib.parse import quote

from datamate.platform.embedded.account import account_for
from datamate.platform.embedded.binaries import POSTGRES_MAJOR, postgres_programs
from datamate.platform.embedded.command import EngineCommand, folder_argument
from datamate.platform.embedded.errors import EngineFolderError, EngineStartError
from datamate.platform.embedded.folders import give, remove_half_made, socket_folder
from datamate.platform.embedded.postgres_setup import (
    DATABASE,
    ROLE,
    Passwords,
    make_data_folder,
    read_passwords,
    reset_passwords,
)
from datamate.platform.embedded.process_lock import working_folder_is

_DEFAULT_PORT = 5432
_PROTOCOL_VERSION = 3 << 16
_STILL_STARTING = "57P03"  # Source: PostgreSQL, Appendix A: cannot_connect_now

# What a machine of its own would not set: small memory, no replicas, and nothing private in the log.
_SETTINGS = (
    "cluster_name=datamate",
    "shared_buffers=128MB",
    "work_mem=8MB",
    "maintenance_work_mem=64MB",
    "huge_pages=off",
    "jit=off",
    "max_parallel_workers=0",  # its shared memory does not fit a container's 64 MB /dev/shm
    "wal_level=minimal",  # no replicas, and pg_dump needs none
    "max_wal_senders=0",
    "max_logical_replication_workers=0",
    "max_wal_size=512MB",
    "min_wal_size=32MB",
    "random_page_cost=1.1",
    "unix_socket_permissions=0700",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_checkpoints=off",
    "log_line_prefix=%m [%p] %u@%d ",
    "log_parameter_max_length=0",
    "log_parameter_max_length_on_error=0",
    # After a kill -9 the folder is synced first: one call, not one a file, took 0.5 s instead of 2 s on a busy disk.
    *(("recovery_init_sync_method=syncfs",) if sys.platform == "linux" else ()),
)


class PostgresServer:
    """The PostgreSQL server in `home`/postgres; starting and watching its process is the supervisor's part."""

    def __init__(self, home: Path, *, secrets: Path, max_connections: int = 100, tcp_port: int | None = None) -> None:
        """Describe a server; nothing is touched before `prepare`.

        Args:
            home: The installation's folder.
            secrets: The folder of generated passwords; only its owner may enter it.
            max_connections: Most connections of all processes together.
            tcp_port: Also listen on this port of 127.0.0.1; None for a private Unix socket alone.
        """
        self._home = home
        self._secrets = secrets
        self._max_connections = max_connections
        self._tcp_port = tcp_port
        self._folder = home / "postgres"
        self._passwords: Passwords | None = None

    @property
    def data(self) -> Path:
        """The data folder."""
        return self._folder / "data"

    @property
    def lock(self) -> Path:
        """The lock file that the server's processes hold; see `process_lock`."""
        return self._folder / "lock"

    @property
    def is_new(self) -> bool:
        """Whether `prepare` has a data folder to make."""
        return not self.data.exists()

    @property
    def socket(self) -> Path:
        """The Unix socket, in a folder that only the server's account may enter."""
        name = f".s.PGSQL.{self._port}"
        return socket_folder(self._home, "postgres", account_for(self.data), socket_name=name) / name

    @property
    def url(self) -> str:
        """The address for asyncpg and for SQLAlchemy (there with `postgresql+asyncpg`), password included.

        Raises:
            EngineStartError: The server was never set up.
        """
        passwords = self._passwords or read_passwords(self._secrets)
        if passwords is None:
            raise EngineStartError(f"PostgreSQL was never set up in {self._folder}. Run `datamate up` first.")
        query = f"host={quote(str(self.socket.parent))}&port={self._port}"
        return f"postgresql://{ROLE}:{passwords.role}@/{DATABASE}?{query}"

    def make_folder(self) -> None:
        """Make the folder of the data folder and of the lock."""
        self._folder.mkdir(mode=0o700 if account_for(self.data) is None else 0o711, exist_ok=True)

    async def prepare(self, lock: int) -> None:
        """Make the data folder the first time, and clear what a killed server left; before every start.

        Args:
            lock: A descriptor that holds `lock`: proof that no earlier process of this server is alive.

        Raises:
            EngineFolderError: The data folder is not one of this PostgreSQL.
            EngineStartError: It could not be made, or a server that DataMate did not start runs on it.
        """
        account = account_for(self.data)
        if self.is_new:
            self._passwords = await make_data_folder(self.data, account=account, secrets=self._secrets, lock=lock)
            return
        remove_half_made(self.data.with_name("data.tmp"))
        self._check_version()
        if account is not None and self.data.stat().st_uid != account.uid:
            give(self.data, account)
        self._clear_process_files()
        self._passwords = read_passwords(self._secrets)
        if self._passwords is None:
            self._passwords = await reset_passwords(self.data, account=account, secrets=self._secrets, lock=lock)

    def command(self) -> EngineCommand:
        """Return how to start the server; its log goes to standard error."""
        account = account_for(self.data)
        settings = (
            *_SETTINGS,
            f"max_connections={self._max_connections}",
            f"listen_addresses={'' if self._tcp_port is None else '127.0.0.1'}",
            f"port={self._port}",
            f"unix_socket_directories={self.socket.parent}",
        )
        options = tuple(part for setting in settings for part in ("-c", setting))
        program = str(postgres_programs(account) / "postgres")
        return EngineCommand(
            argv=(program, "-D", folder_argument(self.data, account), *options),
            folder=self.data,
            account=account,
            stdin=None,
            stop_signal=signal.SIGINT,  # "fast": ends sessions, writes a checkpoint, exits
        )

    async def is_ready(self) -> bool:
        """Tell whether the server takes connections now: it answers the first message of the protocol with no error."""
        try:
            reader, writer = await asyncio.open_unix_connection(self.socket)
        except OSError:
            return False
        try:
            writer.write(_startup_message())
            kind, length = struct.unpack("!ci", await reader.readexactly(5))
            body = await reader.readexactly(length - 4)
        except (OSError, asyncio.IncompleteReadError):
            return False
        finally:
            writer.close()
        return kind == b"R" or (kind == b"E" and f"C{_STILL_STARTING}".encode() not in body.split(b"\0"))

    @property
    def _port(self) -> int:
        return self._tcp_port or _DEFAULT_PORT

    def _check_version(self) -> None:
        try:
            version = (self.data / "PG_VERSION").read_text("ascii").strip()
        except FileNotFoundError:
            raise EngineFolderError(
                f"{self.data} is no PostgreSQL data folder: it has no file PG_VERSION. Restore it from a backup, or "
                "move it away to start with an empty database."
            ) from None
        if version != str(POSTGRES_MAJOR):
            raise EngineFolderError(
                f"{self.data} was made by PostgreSQL {version}, and this is PostgreSQL {POSTGRES_MAJOR}. Dump it with "
                f"pg_dump {version} under the DataMate that made it, move it away, and restore the dump."
            )

    def _clear_process_files(self) -> None:
        """Remove a dead server's pid files: PostgreSQL trusts them if the number went to another process."""
        pid_file = self.data / "postmaster.pid"
        if pid_file.exists():
            first_line = pid_file.read_text("utf-8").partition("\n")[0]
            if first_line.isdecimal() and working_folder_is(int(first_line), self.data):
                raise EngineStartError(
                    f"A PostgreSQL that DataMate did not start (process id {first_line}) runs on {self.data}. "
                    "Stop it first."
                )
            pid_file.unlink()
        for leftover in (self.socket, self.socket.with_name(f"{self.socket.name}.lock")):
            leftover.unlink(missing_ok=True)


def _startup_message() -> bytes:
    body = f"user\0{ROLE}\0database\0{DATABASE}\0\0".encode()
    return struct.pack("!ii", len(body) + 8, _PROTOCOL_VERSION) + body
