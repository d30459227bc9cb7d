"""Whole processes of DataMate inside the test's event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from pydantic import SecretStr

from datamate.app.serve import serve
from datamate.app.supervisor.ports import free_port
from datamate.config.identity import BootstrapSettings
from datamate.config.root import Settings
from datamate.platform.db import Database
from datamate.platform.security import PasswordHasher
from datamate.services.main.bootstrap.service import make_first_administrator
from factories.accounts import PASSWORD

HOST = "127.0.0.1"
SERVICES = ("gateway", "main", "data_management", "runtime")
READY_SECONDS = 20.0


def installation(database_url: str, redis_url: str, home: Path, **changes: object) -> Settings:
    """The settings that every process of one installation has."""
    fields = {
        "home": home,
        "database": {"url": SecretStr(database_url)},
        "redis": {"url": SecretStr(redis_url)},
        "jwt": {"secret": SecretStr("j" * 32)},
        "internal": {"secret": SecretStr("i" * 32)},
        **{name: {"port": free_port(HOST)} for name in SERVICES},
    }
    return Settings(**{**fields, **changes})


async def add_administrator(settings: Settings) -> None:
    """Make the administrator `admin`."""
    assert settings.database.url is not None
    database, passwords = Database(settings.database, settings.database.url.get_secret_value()), PasswordHasher()
    bootstrap = BootstrapSettings(admin_password=SecretStr(PASSWORD))
    await make_first_administrator(database, bootstrap, home=settings.home_folder, passwords=passwords)
    passwords.close()
    await database.close()


@asynccontextmanager
async def serving(settings: Settings, *services: str) -> AsyncIterator[None]:
    """Run services until the block ends, each as the process that `datamate serve` makes of it."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(serve(settings, service, stop)) for service in services]
    try:
        for service in services:
            front = getattr(settings, "gateway" if service == "all" else service)
            await _ready(f"http://{HOST}:{front.port}", tasks)
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def _ready(url: str, tasks: list[asyncio.Task[None]]) -> None:
    async with asyncio.timeout(READY_SECONDS), aiohttp.ClientSession() as session:
        while not await _answers(session, f"{url}/health/ready"):
            for task in tasks:
                if task.done():
                    await task
            await asyncio.sleep(0.02)


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as answer:
            return answer.status == 200
    except aiohttp.ClientConnectionError:
        return False
