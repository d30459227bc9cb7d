"""Whole processes of DataMate, run inside the test's event loop against real engines."""

import asyncio
import logging
from contextlib import asynccontextmanager

import aiohttp
import pytest
import structlog
from pydantic import SecretStr

from datamate.app.serve import serve
from datamate.app.supervisor.ports import free_port
from datamate.config.root import Settings

HOST = "127.0.0.1"
SERVICES = ("gateway", "main", "data_management", "runtime")
READY_SECONDS = 20.0


@pytest.fixture(autouse=True)
def logging_restored():
    """A served process sets up logging for good; the next test has another stream."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def settings_for(redis_engine, tmp_path):
    """Makes the settings that every process of one installation has."""

    def make(database_url, **changes):
        fields = {
            "home": tmp_path / "home",
            "database": {"url": SecretStr(database_url)},
            "redis": {"url": SecretStr(redis_engine.url)},
            "jwt": {"secret": SecretStr("j" * 32)},
            "internal": {"secret": SecretStr("i" * 32)},
            **{name: {"port": free_port(HOST)} for name in SERVICES},
        }
        return Settings(**{**fields, **changes})

    return make


@pytest.fixture
def settings(own_database_url, redis, settings_for):
    return settings_for(own_database_url)


@asynccontextmanager
async def serving(settings, *services):
    """Run services until the block ends, each as the process that `datamate serve` makes of it."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(serve(settings, service, stop)) for service in services]
    try:
        fronts = [getattr(settings, "gateway" if service == "all" else service) for service in services]
        for front in fronts:
            await _ready(f"http://{HOST}:{front.port}", tasks)
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def _ready(url, tasks):
    async with asyncio.timeout(READY_SECONDS), aiohttp.ClientSession() as session:
        while True:
            for task in tasks:
                if task.done():
                    await task
            try:
                async with session.get(f"{url}/health/ready") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.02)
