"""The gateway in front of one real service, in one process and over HTTP, both behind a real socket."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, SecretStr
from redis.asyncio import Redis

from datamate.config.database import DatabaseSettings
from datamate.config.log import LogSettings
from datamate.config.root import Settings
from datamate.contracts.main.permissions import BUILT_IN_ROLES, Permission
from datamate.contracts.main.users import PrincipalRecord
from datamate.platform.cache import Cache
from datamate.platform.db import Database
from datamate.platform.http.body_limit import raw_body
from datamate.platform.http.event_stream import ServerEvent, event_stream
from datamate.platform.http.server import serve
from datamate.platform.http.service import ServiceResources, create_service_app
from datamate.platform.http.streaming import ClosingStreamingResponse
from datamate.platform.security import AccessTokens, InternalTokens, internal_only, public, require_permission
from datamate.platform.telemetry import configure_logging
from datamate.services.gateway.app import create_app
from datamate.services.gateway.deps import GatewayResources
from datamate.services.gateway.upstream.in_process import InProcessUpstream
from datamate.services.gateway.upstream.over_http import HttpUpstream
from datamate.services.gateway.upstream.port import Upstream

ACCESS_SECRET = SecretStr("public-secret-of-the-tests-000001")
INTERNAL_SECRET = SecretStr("internal-secret-of-the-tests-0001")
NOWHERE = "127.0.0.1:9"


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


@dataclass
class Principals:
    """The users there are; tests change them."""

    records: dict[int, PrincipalRecord] = field(default_factory=dict)

    def put(self, user_id: int, role: str, *, enabled: bool = True, epoch: int = 1) -> None:
        self.records[user_id] = PrincipalRecord(
            user_id=user_id,
            username=f"user{user_id}",
            role=role,
            permissions=sorted(BUILT_IN_ROLES[role]),
            enabled=enabled,
            epoch=epoch,
        )

    async def read(self, user_id: int) -> PrincipalRecord | None:
        return self.records.get(user_id)


@dataclass
class Happenings:
    """What went on inside the service."""

    heads: list[dict[str, object]] = field(default_factory=list)
    chunks_sent: int = 0
    received_bytes: int = 0
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    stream_closed: asyncio.Event = field(default_factory=asyncio.Event)

    def forget(self) -> None:
        self.heads.clear()
        self.chunks_sent = self.received_bytes = 0
        self.cancelled.clear()
        self.stream_closed.clear()


class Count(BaseModel):
    value: int


@dataclass
class Door:
    """A running gateway and what is behind it."""

    url: str
    port: int
    client: aiohttp.ClientSession
    tokens: AccessTokens
    internal_tokens: InternalTokens
    principals: Principals
    happenings: Happenings
    service_url: str | None

    def bearer(self, user_id: int = 1, *, epoch: int = 1) -> dict[str, str]:
        return {"authorization": f"Bearer {self.tokens.mint(str(user_id), epoch=epoch)}"}

    def renewed(self) -> "Door":
        """Forget what earlier tests did."""
        self.principals.records.clear()
        for user_id, role in ((1, "ADMIN"), (2, "EDITOR"), (3, "VIEWER")):
            self.principals.put(user_id, role)
        self.happenings.forget()
        return self

    async def raw(self, request: bytes) -> bytes:
        """Send bytes as they are and return everything that comes back."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request)
            async with asyncio.timeout(5):
                return await reader.read()
        finally:
            writer.close()


def service_resources() -> ServiceResources:
    redis = Redis.from_url(f"redis://{NOWHERE}")
    return ServiceResources(
        settings=Settings(),
        database=Database(DatabaseSettings(), f"postgresql://nobody@{NOWHERE}/nothing"),
        redis=redis,
        cache=Cache(redis),
        internal_tokens=InternalTokens(INTERNAL_SECRET, 60),
    )


def make_service(name: str, happenings: Happenings) -> FastAPI:
    routers = [_main_routes(happenings)] if name == "main" else []
    if name == "data_management":
        routers = [_stream_routes(happenings)]
    return create_service_app(name, service_resources(), routers, title=name)


def _main_routes(happenings: Happenings) -> APIRouter:
    router = APIRouter()

    @router.post("/auth/login", dependencies=[public])
    async def login(body: Count) -> Count:
        return body

    @router.get("/users/{rest:path}", dependencies=[require_permission(Permission.USER_READ)])
    @router.get("/tasks/{rest:path}", dependencies=[require_permission(Permission.TASK_READ)])
    async def record(request: Request, rest: str) -> Response:
        principal = request.scope["datamate.principal"]
        head = {
            "fields": [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw],
            "path": request.scope["path"],
            "rest": rest,
            "raw_path": request.scope["raw_path"].decode(),
            "query": request.url.query,
            "user_id": principal.user_id,
            "role": principal.role,
            "actor": principal.actor,
        }
        happenings.heads.append(head)
        return Response("{}", headers={"x-frame-options": "ALLOWALL", "server": "leaky", "x-of-service": "1"})

    @router.get("/internal/secret", dependencies=[internal_only("gateway")])
    async def secret() -> None:
        return

    return router


def _stream_routes(happenings: Happenings) -> APIRouter:
    write = [require_permission(Permission.DATASET_WRITE)]
    router = APIRouter(prefix="/data-management/datasets", dependencies=[require_permission(Permission.DATASET_READ)])

    @router.put("/upload", dependencies=[*write, raw_body(None)])
    async def upload(request: Request) -> dict[str, int]:
        async for chunk in request.stream():
            happenings.received_bytes += len(chunk)
        return {"bytes": happenings.received_bytes}

    @router.put("/small", dependencies=[raw_body(1000)])
    async def small(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @router.get("/download")
    async def download() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            try:
                for _ in range(100_000):
                    happenings.chunks_sent += 1
                    yield b"x" * 65_536
            finally:
                happenings.stream_closed.set()

        return ClosingStreamingResponse(chunks())

    @router.get("/sleep")
    async def sleep() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            happenings.cancelled.set()
            raise

    @router.get("/events")
    async def events() -> StreamingResponse:
        return event_stream(_counts(happenings), heartbeat_seconds=0.2)

    return router


async def _counts(happenings: Happenings) -> AsyncIterator[ServerEvent]:
    try:
        yield ServerEvent(Count(value=1), id="1")
        await asyncio.sleep(60)
    finally:
        happenings.stream_closed.set()


@asynccontextmanager
async def listening(app) -> AsyncIterator[int]:
    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    task = asyncio.create_task(serve(app, "127.0.0.1", 0, stop=stop, on_started=started.set_result))
    await asyncio.wait({task, started}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield started.result()
    finally:
        stop.set()
        await task


@asynccontextmanager
async def open_door(topology: str) -> AsyncIterator[Door]:
    """Start a gateway in front of three services, which are in the same process or each behind a socket."""
    principals, happenings = Principals(), Happenings()
    internal = InternalTokens(INTERNAL_SECRET, 60)
    async with AsyncExitStack() as stack:
        upstreams: dict[str, Upstream] = {}
        service_url = None
        for name in ("main", "data_management", "runtime"):
            service = make_service(name, happenings)
            if topology == "in_process":
                upstreams[name] = InProcessUpstream(service)
            elif topology == "deserted":
                upstreams[name] = HttpUpstream(f"http://{NOWHERE}", service=name, tokens=internal)
            else:
                address = f"http://127.0.0.1:{await stack.enter_async_context(listening(service))}"
                service_url = service_url or address
                upstreams[name] = HttpUpstream(address, service=name, tokens=internal)
        tokens = AccessTokens(ACCESS_SECRET, 900)
        gateway = create_app(GatewayResources(access_tokens=tokens, principals=principals), upstreams)
        port = await stack.enter_async_context(listening(gateway))
        client = await stack.enter_async_context(aiohttp.ClientSession(f"http://127.0.0.1:{port}"))
        yield Door(
            f"http://127.0.0.1:{port}", port, client, tokens, internal, principals, happenings, service_url
        ).renewed()


# One gateway a module, because uvicorn takes 0.3 s to stop; each test finds it as new.


@pytest.fixture(scope="module")
async def opened_in_process() -> AsyncIterator[Door]:
    async with open_door("in_process") as opened:
        yield opened


@pytest.fixture(scope="module")
async def opened_over_http() -> AsyncIterator[Door]:
    async with open_door("http") as opened:
        yield opened


@pytest.fixture
def local_door(opened_in_process: Door) -> Door:
    """The gateway with its services in one process."""
    return opened_in_process.renewed()


@pytest.fixture
def remote_door(opened_over_http: Door) -> Door:
    """The gateway with its services behind sockets."""
    return opened_over_http.renewed()


@pytest.fixture(params=["in_process", "http"])
def door(request: pytest.FixtureRequest) -> Door:
    """The gateway in both topologies."""
    opened: Door = request.getfixturevalue("opened_in_process" if request.param == "in_process" else "opened_over_http")
    return opened.renewed()


@pytest.fixture
async def deserted_door() -> AsyncIterator[Door]:
    """The gateway with nothing behind it."""
    async with open_door("deserted") as opened:
        yield opened
