"""A real PostgreSQL and a real Redis for one test process: started in under a second, killed when it dies."""

import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from datamate.app.supervisor import launch
from datamate.platform.embedded.account import EngineAccount, setup_account
from datamate.platform.embedded.binaries import postgres_programs, redis_program
from datamate.platform.embedded.command import ENGINE_ENVIRONMENT
from datamate.platform.embedded.folders import give

SUPERUSER = "datamate"
READY_WITHIN_SECONDS = 30.0

# Nothing here has to survive a crash of the machine.
_POSTGRES_SETTINGS = (
    "listen_addresses=",
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "max_connections=200",
    "max_wal_size=4GB",
    "autovacuum_naptime=10s",
    "jit=off",
    "dynamic_shared_memory_type=posix",
    "timezone=UTC",
)
_INITDB_OPTIONS = (
    f"--username={SUPERUSER}",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-sync",
    "--no-instructions",
)


class Engine:
    """A server process in a private folder with a short path, as Unix sockets need one."""

    def __init__(self, name: str, account: EngineAccount | None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"datamate-{name}-"))
        self._account = account
        self._process: subprocess.Popen[bytes] | None = None
        give(self.folder, account)

    def start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        """End the server cleanly and at once; nothing happens when it does not run."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End the server as a crash would."""
        self._end(signal.SIGKILL)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def _run(self, argv: Sequence[str | Path], socket_path: Path, *, hello: bytes, ready: bytes) -> None:
        """Start the server, tied to this process, and wait until it greets `hello` with the byte `ready`."""
        uid, gid = (-1, -1) if self._account is None else (self._account.uid, self._account.gid)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, launch.__file__, str(int(signal.SIGINT)), str(os.getpid()), str(uid), str(gid), *argv],
                cwd=self.folder,
                env=dict(ENGINE_ENVIRONMENT),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while not _answers(socket_path, hello, ready):
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, f"{argv[0]} did not start"
            time.sleep(0.01)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(READY_WITHIN_SECONDS)
            self._process = None


class PostgresEngine(Engine):
    """PostgreSQL on a Unix socket; whoever may enter its folder is superuser."""

    def __init__(self) -> None:
        super().__init__("postgres", setup_account())
        self._programs = postgres_programs(self._account)
        self._data = self.folder / "data"

    def initialise(self) -> None:
        account = self._account
        subprocess.run(
            [self._programs / "initdb", "-D", self._data, *_INITDB_OPTIONS],
            check=True,
            cwd=self.folder,
            env=dict(ENGINE_ENVIRONMENT),
            stdout=subprocess.DEVNULL,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
        )

    def start(self) -> None:
        settings = (*_POSTGRES_SETTINGS, f"unix_socket_directories={self.folder}")
        options = [part for setting in settings for part in ("-c", setting)]
        argv = [self._programs / "postgres", "-D", self._data, *options]
        user = f"user\0{SUPERUSER}\0\0".encode()
        hello = struct.pack("!ii", 8 + len(user), 3 << 16) + user
        self._run(argv, self.folder / ".s.PGSQL.5432", hello=hello, ready=b"R")

    def url(self, database: str) -> str:
        return f"postgresql://{SUPERUSER}@/{database}?host={self.folder}"


class RedisEngine(Engine):
    """Redis on a Unix socket, with its append-only file on disk so that a restart keeps what was there."""

    def __init__(self) -> None:
        super().__init__("redis", setup_account())
        self._socket = self.folder / "redis.sock"

    def start(self) -> None:
        options = ["--port", "0", "--unixsocket", self._socket, "--appendonly", "yes", "--appendfsync", "no"]
        argv = [redis_program(self._account), *options, "--save", "", "--dir", self.folder]
        self._run(argv, self._socket, hello=b"PING\r\n", ready=b"+")

    @property
    def url(self) -> str:
        return f"unix://{self._socket}?db=0"


def _answers(socket_path: Path, hello: bytes, ready: bytes) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(socket_path))
            probe.sendall(hello)
            return probe.recv(1) == ready
        except OSError:
            return False
