"""Starts the servers of the integration suite, each on a free port: Debian's PostgreSQL and Redis, and SeaweedFS."""

import os
import pwd
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from factories.seaweedfs import ACCESS_KEY, SECRET_KEY, running_seaweedfs

READY_SECONDS = 30.0


@dataclass(frozen=True)
class Bucket:
    """An S3 bucket that accepts one key pair."""

    endpoint: str
    name: str
    access_key_id: str
    secret_access_key: str


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Run Debian's PostgreSQL and yield the URL of an empty database; only scram passwords are accepted."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    account = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    folder.mkdir(parents=True)
    os.chown(folder, account.pw_uid, account.pw_gid)
    password, port = secrets.token_hex(16), free_port()
    password_file = folder / "password"
    password_file.write_text(password)
    os.chown(password_file, account.pw_uid, account.pw_gid)
    as_account = {"user": account.pw_uid, "group": account.pw_gid} if os.geteuid() == 0 else {}
    options = ["-U", "datamate", "-A", "scram-sha-256", "-E", "UTF8", "--no-sync", f"--pwfile={password_file}"]
    subprocess.run(
        [programs / "initdb", "-D", folder / "data", *options],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=folder,
        **as_account,
    )
    command = [programs / "postgres", "-D", folder / "data", "-p", str(port), "-k", folder, "-c", "fsync=off"]
    with _running(command, folder, stop_signal=signal.SIGINT, **as_account):
        _wait_for(lambda: _accepts(port), "PostgreSQL", folder)
        url = f"postgresql://datamate:{password}@127.0.0.1:{port}"
        environment = {**os.environ, "PGPASSWORD": password}
        create = [programs / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "datamate", "datamate"]
        _wait_for(lambda: subprocess.run(create, env=environment, check=False).returncode == 0, "createdb", folder)
        yield f"{url}/datamate"


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Run Debian's redis-server and yield its URL."""
    folder.mkdir(parents=True)
    password, port = secrets.token_hex(16), free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--requirepass", password]
    with _running([*command, "--appendonly", "yes", "--dir", folder], folder):
        _wait_for(lambda: _accepts(port), "redis-server", folder)
        yield f"redis://:{password}@127.0.0.1:{port}/0"


@contextmanager
def seaweedfs(folder: Path) -> Iterator[Bucket]:
    """Run SeaweedFS with its S3 interface and yield an empty bucket."""
    folder.mkdir(parents=True)
    with running_seaweedfs(folder) as endpoint:
        yield Bucket(endpoint, "datamate", ACCESS_KEY, SECRET_KEY)


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait_for(ready: Callable[[], bool], what: str, folder: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} was not ready after {READY_SECONDS:.0f} s; its log is {folder / 'log'}")
        time.sleep(0.05)


@contextmanager
def _running(command: list, folder: Path, *, stop_signal: int = signal.SIGTERM, **options: object) -> Iterator[None]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(part) for part in command], stdout=log, stderr=subprocess.STDOUT, cwd=folder, **options
        )
    try:
        yield
    finally:
        process.send_signal(stop_signal)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
