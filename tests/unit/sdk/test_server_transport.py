"""The client's transport against a server of the test's own."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from datamate.clients.transport import TransportRequest
from datamate.core.errors import DeadlineExceededError, InvalidInputError, UnavailableError
from datamate.sdk.server_transport import ServerTransport, proxy_for


async def echo(request: web.Request) -> web.Response:
    body = await request.read()
    return web.json_response(
        {
            "path": request.raw_path,
            "authorization": request.headers.get("authorization"),
            "user_agent": request.headers["user-agent"],
            "size": len(body),
        },
        headers={"x-two": "1"},
    )


async def hang(_request: web.Request) -> web.Response:
    await asyncio.sleep(0.5)
    return web.Response()


async def break_off(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-length": "1000"})
    await response.prepare(request)
    await response.write(b"x" * 10)
    request.transport.close()
    return response


async def refuse_at_once(_request: web.Request) -> web.Response:
    return web.Response(status=413, text="too large")


@pytest.fixture
async def server():
    app = web.Application()
    app.router.add_route("*", "/api/v1/echo/{tail:.*}", echo)
    app.router.add_get("/api/v1/hang", hang)
    app.router.add_get("/api/v1/break", break_off)
    app.router.add_put("/api/v1/refuse", refuse_at_once)
    async with TestServer(app) as running:
        yield running


@pytest.fixture
async def transport(server):
    transport = ServerTransport(str(server.make_url("/api/v1")), "the-token")
    yield transport
    await transport.close()


async def read(transport: ServerTransport, request: TransportRequest) -> tuple[int, bytes]:
    async with transport.send(request) as answer:
        return answer.status, b"".join([chunk async for chunk in answer.chunks()])


async def slow_chunks(count: int, pause_seconds: float) -> AsyncIterator[bytes]:
    for _ in range(count):
        await asyncio.sleep(pause_seconds)
        yield b"x" * 1000


async def test_request_arrives_as_it_is_when_path_and_query_need_encoding(transport):
    request = TransportRequest("GET", "/echo/a%2Fb", query=(("q", "a b&c+d"), ("q", "ü")))
    status, body = await read(transport, request)
    assert status == 200
    assert b'"path": "/api/v1/echo/a%2Fb?q=a+b%26c%2Bd&q=%C3%BC"' in body
    assert b'"authorization": "Bearer the-token"' in body
    assert b"datamate/" in body


async def test_deadline_is_put_off_when_a_long_body_is_sent(transport):
    request = TransportRequest("PUT", "/echo/x", body=slow_chunks(8, 0.1), deadline_seconds=0.4)
    status, body = await read(transport, request)
    assert status == 200
    assert b'"size": 8000' in body


async def test_deadline_is_reported_when_server_does_not_answer(transport):
    with pytest.raises(DeadlineExceededError, match=r"0\.1 seconds"):
        await read(transport, TransportRequest("GET", "/hang", deadline_seconds=0.1))


async def test_error_of_source_comes_back_when_body_cannot_be_read(transport):
    async def broken() -> AsyncIterator[bytes]:
        yield b"x"
        raise InvalidInputError("the file shrank")

    with pytest.raises(InvalidInputError, match="shrank"):
        await read(transport, TransportRequest("PUT", "/echo/x", body=broken()))


async def test_answer_comes_back_when_server_refuses_before_the_end_of_a_body(transport):
    request = TransportRequest("PUT", "/refuse", body=slow_chunks(3, 0.05), deadline_seconds=5)
    assert (await read(transport, request))[0] == 413


async def test_error_is_plain_when_server_breaks_off(transport):
    with pytest.raises(UnavailableError, match="broke off"):
        await read(transport, TransportRequest("GET", "/break"))


async def test_address_is_named_when_nothing_answers(unused_tcp_port):
    transport = ServerTransport(f"http://127.0.0.1:{unused_tcp_port}", None)
    with pytest.raises(UnavailableError, match=f"127.0.0.1:{unused_tcp_port}.*Is the server running"):
        await read(transport, TransportRequest("GET", "/"))
    await transport.close()


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://datamate.example.org/api/v1", "http://proxy:3128"),
        ("https://datamate.example.org/api/v1", None),
        ("http://inside.example.com", None),
        ("http://127.0.0.1:8080", None),
        ("http://[::1]:8080", None),
        ("http://localhost:8080", None),
    ],
)
def test_proxy_of_environment_is_used_when_server_is_elsewhere(monkeypatch, url, proxy):
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.setenv("no_proxy", "inside.example.com")
    assert proxy_for(url) == proxy
