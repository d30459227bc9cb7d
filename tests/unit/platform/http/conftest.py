"""A service with one route per behaviour, over a real PostgreSQL and Redis where a test asks for them."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
import structlog
from fastapi import APIRouter, FastAPI
from pydantic import SecretStr
from redis.asyncio import Redis

from datamate.config.database import DatabaseSettings
from datamate.config.log import LogSettings
from datamate.config.root import Settings
from datamate.platform.cache import Cache
from datamate.platform.db import Database
from datamate.platform.http.server import serve
from datamate.platform.http.service import ServiceResources, create_service_app
from datamate.platform.security import InternalTokens
from datamate.platform.telemetry import configure_logging

NOWHERE = "127.0.0.1:9"

MakeService = Callable[..., FastAPI]


@pytest.fixture(autouse=True)
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    lines = io.StringIO()
    configure_logging(LogSettings(), service="tests", stream=lines)
    yield lines
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def tokens() -> InternalTokens:
    return InternalTokens(SecretStr("internal-secret-of-the-tests-0001"), 60)


@pytest.fixture
def make_service(tokens: InternalTokens) -> MakeService:
    """Make a service of one router; without a database or Redis of its own, both are away."""

    def make(router: APIRouter, *, database: Database | None = None, redis: Redis | None = None, **options) -> FastAPI:
        redis = redis or Redis.from_url(f"redis://{NOWHERE}", socket_connect_timeout=0.1)
        resources = ServiceResources(
            settings=Settings(),
            database=database or Database(DatabaseSettings(), f"postgresql://nobody@{NOWHERE}/nothing"),
            redis=redis,
            cache=Cache(redis),
            internal_tokens=tokens,
        )
        return create_service_app("sample", resources, [router], title="Sample", **options)

    return make


@pytest.fixture
def listening() -> Callable[..., AbstractAsyncContextManager[int]]:
    """Serve an application on a free port for as long as a block lasts."""

    @asynccontextmanager
    async def run(app, *, stop: asyncio.Event | None = None) -> AsyncIterator[int]:
        started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        stop = stop or asyncio.Event()
        task = asyncio.create_task(serve(app, "127.0.0.1", 0, stop=stop, on_started=started.set_result))
        await asyncio.wait({task, started}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        try:
            yield started.result()
        finally:
            stop.set()
            await task

    return run
