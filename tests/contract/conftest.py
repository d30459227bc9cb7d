"""The service that both transports call: one route per behaviour, and a record of what happened inside."""

import asyncio
import io
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass, field

import pytest
import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, SecretStr
from redis.asyncio import Redis

from datamate.config.database import DatabaseSettings
from datamate.config.log import LogSettings
from datamate.config.root import Settings
from datamate.contracts.main.permissions import Permission
from datamate.platform.cache import Cache
from datamate.platform.db import Database
from datamate.platform.http.body_limit import raw_body
from datamate.platform.http.event_stream import LastEventId, ServerEvent, event_stream
from datamate.platform.http.service import ServiceResources, create_service_app
from datamate.platform.http.streaming import ClosingStreamingResponse
from datamate.platform.security import CurrentPrincipal, InternalTokens, public, require_permission
from datamate.platform.telemetry import configure_logging

NOWHERE = "127.0.0.1:9"
SERVICE = "sample"
TOKENS = InternalTokens(SecretStr("internal-secret-of-the-tests-0001"), 60)


@dataclass
class Happenings:
    """What went on inside the service."""

    chunks_sent: int = 0
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    stream_closed: asyncio.Event = field(default_factory=asyncio.Event)


class Count(BaseModel):
    value: int


def make_resources() -> ServiceResources:
    """Return resources whose servers are never asked."""
    redis = Redis.from_url(f"redis://{NOWHERE}")
    database = Database(DatabaseSettings(), f"postgresql://nobody@{NOWHERE}/nothing")
    return ServiceResources(
        settings=Settings(), database=database, redis=redis, cache=Cache(redis), internal_tokens=TOKENS
    )


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
def happenings() -> Happenings:
    return Happenings()


@pytest.fixture
def tokens() -> InternalTokens:
    return TOKENS


@pytest.fixture
def service(happenings: Happenings) -> FastAPI:
    return create_service_app(SERVICE, make_resources(), [_plain(), _streams(happenings)], title="Sample")


def _plain() -> APIRouter:
    router = APIRouter()

    @router.api_route("/echo/{name}", methods=["GET", "POST", "DELETE"], dependencies=[public])
    async def echo(name: str, request: Request) -> dict[str, object]:
        return {
            "method": request.method,
            "name": name,
            "query": request.query_params.multi_items(),
            "custom": request.headers.get("x-custom"),
            "body": (await request.body()).decode(),
        }

    @router.get("/whoami", dependencies=[require_permission(Permission.DATASET_READ)])
    async def whoami(principal: CurrentPrincipal) -> dict[str, object]:
        return {"user_id": principal.user_id, "role": principal.role, "actor": principal.actor}

    @router.get("/empty", status_code=204, dependencies=[public])
    async def empty() -> None:
        return

    @router.get("/crash", dependencies=[public])
    async def crash() -> None:
        raise ZeroDivisionError("secret-in-a-traceback")

    @router.post("/typed", dependencies=[public])
    async def typed(count: Count) -> Count:
        return count

    return router


def _streams(happenings: Happenings) -> APIRouter:
    router = APIRouter(dependencies=[public])

    @router.put("/upload", dependencies=[raw_body(None)])
    async def upload(request: Request) -> dict[str, int]:
        return {"bytes": sum([len(chunk) async for chunk in request.stream()])}

    @router.get("/download/{count}")
    async def download(count: int) -> StreamingResponse:
        return ClosingStreamingResponse(_blocks(happenings, count), media_type="application/octet-stream")

    @router.get("/breaks")
    async def breaks() -> StreamingResponse:
        return ClosingStreamingResponse(_broken())

    @router.get("/sleep")
    async def sleep() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            happenings.cancelled.set()
            raise

    @router.get("/events")
    async def events(last_event_id: LastEventId = None) -> StreamingResponse:
        return event_stream(_counts(happenings, int(last_event_id or -1) + 1), heartbeat_seconds=0.2)

    return router


async def _blocks(happenings: Happenings, count: int) -> AsyncGenerator[bytes, None]:
    try:
        for _ in range(count):
            happenings.chunks_sent += 1
            yield b"x" * 65_536
    finally:
        happenings.stream_closed.set()


async def _broken() -> AsyncGenerator[bytes, None]:
    yield b"half"
    raise ZeroDivisionError


async def _counts(happenings: Happenings, first: int) -> AsyncIterator[ServerEvent]:
    try:
        for value in range(first, 3):
            yield ServerEvent(Count(value=value), event="count", id=str(value))
        await asyncio.sleep(60)
    finally:
        happenings.stream_closed.set()
