"""Starts the embedded engines for these tests the way a supervisor does, without its restarts."""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from datamate.platform.embedded.folders import short_folder
from datamate.platform.embedded.postgres import PostgresServer
from datamate.platform.embedded.process_lock import take_over
from datamate.platform.embedded.redis import RedisServer

Server = PostgresServer | RedisServer
Start = Callable[[Server], AbstractAsyncContextManager[asyncio.subprocess.Process]]


async def launch(server: Server) -> asyncio.subprocess.Process:
    server.make_folder()
    lock = await take_over(server.lock, patience_seconds=0.5, on_leftover=lambda _: None)
    await server.prepare(lock)
    command = server.command()
    account = command.account
    read_end, write_end = os.pipe()
    os.write(write_end, (command.stdin or "").encode())
    os.close(write_end)
    process = await asyncio.create_subprocess_exec(
        *command.argv,
        cwd=command.folder,
        env={},
        stdin=read_end,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        pass_fds=(lock,),
        user=None if account is None else account.uid,
        group=None if account is None else account.gid,
        extra_groups=None if account is None else [],
    )
    os.close(read_end)
    os.close(lock)
    async with asyncio.timeout(30):
        while not await server.is_ready():
            assert process.returncode is None, "the engine ended before it was ready"
            await asyncio.sleep(0.01)
    return process


@pytest.fixture
def start() -> Start:
    @asynccontextmanager
    async def run(server: Server) -> AsyncIterator[asyncio.subprocess.Process]:
        process = await launch(server)
        try:
            yield process
        finally:
            # Not process.send_signal(): in Python 3.11 it reaps a dead child behind asyncio's back.
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, server.command().stop_signal)
            assert await process.wait() in {0, -signal.SIGKILL}

    return run


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a home as deep and as closed as a user's: under pytest's folders, which only their owner may enter."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o711)
    (folder / "secrets").mkdir(mode=0o700)
    (folder / "run").mkdir(mode=0o711)
    return folder


@pytest.fixture
def postgres(home: Path) -> PostgresServer:
    return PostgresServer(home, secrets=home / "secrets")


@pytest.fixture
def redis(home: Path) -> RedisServer:
    return RedisServer(home, secrets=home / "secrets")


@pytest.fixture(autouse=True)
def _remove_socket_folders(home: Path):
    yield
    for name in ("postgres", "redis"):
        shutil.rmtree(short_folder(home, name), ignore_errors=True)
