"""The two ways to run DataMate that every end-to-end test is run against."""

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from datamate.app.demo.own_platform import OwnPlatform
from integration.servers import free_port, postgresql, redis, seaweedfs

DATAMATE = (sys.executable, "-P", "-m", "datamate")
ADMIN_PASSWORD = "an administrator's password"
READY_SECONDS = 60.0
STOP_SECONDS = 30.0


@dataclass(frozen=True)
class Site:
    """A running DataMate.

    Attributes:
        url: Address of the gateway.
        username: An administrator.
        password: Its password.
    """

    url: str
    username: str
    password: str


@contextmanager
def one_machine() -> Iterator[Site]:
    """Run `datamate up` in a temporary folder."""
    with OwnPlatform(keep=False) as platform:
        door = platform.start(lambda _line: None)
        yield Site(door.url, door.username, door.password)


@contextmanager
def separate_processes(folder: Path) -> Iterator[Site]:
    """Run every service and a worker as processes of their own, on servers that DataMate did not bring."""
    with ExitStack() as stack:
        bucket = stack.enter_context(seaweedfs(folder / "seaweedfs"))
        ports = {name: free_port() for name in ("gateway", "main", "data_management", "runtime")}
        environment = {
            "DATAMATE_HOME": str(folder / "home"),
            "DATAMATE_DATABASE__URL": stack.enter_context(postgresql(folder / "postgresql")),
            "DATAMATE_REDIS__URL": stack.enter_context(redis(folder / "redis")),
            "DATAMATE_STORAGE__URL": f"s3://{bucket.name}/datamate",
            "DATAMATE_STORAGE__ENDPOINT": bucket.endpoint,
            "DATAMATE_STORAGE__ACCESS_KEY_ID": bucket.access_key_id,
            "DATAMATE_STORAGE__SECRET_ACCESS_KEY": bucket.secret_access_key,
            "DATAMATE_JWT__SECRET": secrets.token_hex(32),
            "DATAMATE_INTERNAL__SECRET": secrets.token_hex(32),
            "DATAMATE_BOOTSTRAP__ADMIN_PASSWORD": ADMIN_PASSWORD,
        }
        for name, port in ports.items():
            environment |= {
                f"DATAMATE_{name}__PORT".upper(): str(port),
                f"DATAMATE_{name}__URL".upper(): f"http://127.0.0.1:{port}",
            }
        subprocess.run([*DATAMATE, "migrate"], check=True, cwd=folder, env=_clean_environment() | environment)
        for name in ports:
            stack.enter_context(_process(folder, environment, "serve", name))
        stack.enter_context(_process(folder, environment, "worker"))
        for name, port in ports.items():
            wait_until_ready(f"http://127.0.0.1:{port}", folder / f"serve-{name}.log")
        yield Site(f"http://127.0.0.1:{ports['gateway']}", "admin", ADMIN_PASSWORD)


def wait_until_ready(url: str, log: Path) -> None:
    """Wait until a service says that it is ready."""
    give_up_at = time.monotonic() + READY_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"{url}/health/ready", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError, json.JSONDecodeError):
            pass
        assert time.monotonic() < give_up_at, f"{url} is not ready: {log.read_text()[-3000:]}"
        time.sleep(0.1)


@contextmanager
def _process(folder: Path, environment: dict[str, str], *arguments: str) -> Iterator[None]:
    with (folder / f"{'-'.join(arguments)}.log").open("wb") as log:
        process = subprocess.Popen(
            [*DATAMATE, *arguments],
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=_clean_environment() | environment,
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("DATAMATE_")}
