"""The server over real sockets: its start, its limits, its end."""

import asyncio
import socket
from contextlib import asynccontextmanager

import aiohttp
import pytest
from fastapi import APIRouter
from pydantic import BaseModel

from datamate.core.errors import ConfigurationError
from datamate.platform.http import head_guard
from datamate.platform.http.event_stream import ServerEvent, event_stream
from datamate.platform.http.server import serve
from datamate.platform.security import public


class Empty(BaseModel):
    pass


def routes() -> APIRouter:
    router = APIRouter(dependencies=[public])

    @router.get("/slow/{seconds}")
    async def slow(seconds: float) -> str:
        await asyncio.sleep(seconds)
        return "done"

    @router.get("/events")
    async def events():
        async def endless():
            yield ServerEvent(Empty())
            await asyncio.sleep(60)

        return event_stream(endless())

    return router


async def exchange(port: int, *parts: bytes, pause: float = 0) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        async with asyncio.timeout(5):
            return await reader.read()
    finally:
        writer.close()


async def test_actual_port_is_reported_when_any_free_one_is_taken(make_service, listening):
    async with listening(make_service(routes())) as port:
        answer = await exchange(port, b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"\r\nserver:" not in answer.lower()


async def test_error_says_what_to_do_when_the_port_is_taken(make_service):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"127.0.0.1:{port}.*Stop what uses that port"):
            await serve(make_service(routes()), "127.0.0.1", port, stop=asyncio.Event())


async def test_error_is_the_original_when_the_application_cannot_start(make_service):
    @asynccontextmanager
    async def lifespan():
        raise ConfigurationError("There is no bucket.")
        yield

    app = make_service(routes(), lifespan=lifespan)
    with pytest.raises(ConfigurationError, match="There is no bucket"):
        await serve(app, "127.0.0.1", 0, stop=asyncio.Event())


async def test_lifespan_surrounds_the_serving_when_the_service_has_one(make_service, listening):
    seen = []

    @asynccontextmanager
    async def lifespan():
        seen.append("start")
        yield
        seen.append("stop")

    async with listening(make_service(routes(), lifespan=lifespan)):
        assert seen == ["start"]
    assert seen == ["start", "stop"]


async def test_answer_under_way_is_finished_when_the_server_stops(make_service, listening):
    stop = asyncio.Event()
    async with listening(make_service(routes()), stop=stop) as port, aiohttp.ClientSession() as client:
        call = asyncio.create_task(_text(client, f"http://127.0.0.1:{port}/slow/0.5"))
        await asyncio.sleep(0.2)
        stop.set()
        assert await call == '"done"'


async def _text(client: aiohttp.ClientSession, url: str) -> str:
    async with client.get(url) as answer:
        return await answer.text()


async def test_server_says_it_is_not_ready_when_it_drains(make_service, database, redis):
    stop = asyncio.Event()
    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    app = make_service(routes(), database=database, redis=redis)
    serving = asyncio.create_task(
        serve(app, "127.0.0.1", 0, stop=stop, on_started=started.set_result, drain_seconds=0.5)
    )
    request = b"GET /health/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert (await exchange(await started, request)).startswith(b"HTTP/1.1 200")
    stop.set()
    assert (await exchange(await started, request)).startswith(b"HTTP/1.1 503")
    await serving


async def test_event_stream_ends_at_once_when_the_server_stops(make_service, listening):
    stop = asyncio.Event()
    async with (
        asyncio.timeout(3),
        listening(make_service(routes()), stop=stop) as port,
        aiohttp.ClientSession() as client,
        client.get(f"http://127.0.0.1:{port}/events") as answer,
    ):
        await answer.content.readuntil(b"\n\n")
        stop.set()
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.content.read()


async def test_connection_is_given_up_when_its_head_comes_slowly(make_service, listening, monkeypatch):
    monkeypatch.setattr(head_guard, "HEAD_SECONDS", 0.3)
    async with listening(make_service(routes())) as port:
        started = asyncio.get_running_loop().time()
        answer = await exchange(port, b"GET /health/live HTTP/1.1\r\nHost: x\r\n")
        silent = await exchange(port)
        assert asyncio.get_running_loop().time() - started < 2
    assert answer.startswith(b"HTTP/1.1 408")
    assert silent.startswith(b"HTTP/1.1 408")


async def test_connection_stays_when_the_body_comes_slowly(make_service, listening, monkeypatch):
    monkeypatch.setattr(head_guard, "HEAD_SECONDS", 0.2)
    async with listening(make_service(routes())) as port:
        head = b"GET /slow/0.5 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        assert (await exchange(port, head)).startswith(b"HTTP/1.1 200")


async def test_connection_is_given_up_when_its_head_never_ends(make_service, listening):
    async with listening(make_service(routes())) as port:
        parts = [b"GET /health/live HTTP/1.1\r\nHost: x\r\n", *[b"X-A: " + b"b" * 8_000 + b"\r\n"] * 9]
        answer = await exchange(port, *parts, pause=0.01)
    assert answer.startswith(b"HTTP/1.1 431")
    assert b"application/problem+json" in answer


async def test_smuggled_request_is_not_answered_when_length_and_chunks_disagree(make_service, listening):
    request = (
        b"POST /slow/0 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\nGET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    )
    async with listening(make_service(routes())) as port:
        answer = await exchange(port, request)
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1 ") == 1


async def test_next_request_is_answered_when_a_connection_is_kept(make_service, listening):
    one = b"GET /slow/0 HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /slow/0 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    async with listening(make_service(routes())) as port:
        assert (await exchange(port, one, one, last)).count(b"HTTP/1.1 200") == 3
