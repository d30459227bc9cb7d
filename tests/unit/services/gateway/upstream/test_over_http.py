"""Services that misbehave on the wire, each a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from datamate.core.errors import DeadlineExceededError, UnavailableError
from datamate.platform.security import InternalTokens
from datamate.services.gateway.upstream import over_http
from datamate.services.gateway.upstream.over_http import HttpUpstream
from datamate.services.gateway.upstream.port import ForwardedCall

TOKENS = InternalTokens(SecretStr("internal-secret-of-the-tests-0001"), 60)
CALL = ForwardedCall({"method": "GET", "query_string": b""}, b"/x", [], has_body=False, principal=None)


@asynccontextmanager
async def answering(answer: bytes, *, then_close: bool) -> AsyncIterator[HttpUpstream]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        if not then_close:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    upstream = HttpUpstream(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", service="main", tokens=TOKENS)
    async with server, upstream.running():
        yield upstream


async def forward(upstream: HttpUpstream) -> list[dict]:
    sent: list[dict] = []

    async def receive() -> dict:
        await asyncio.Event().wait()
        return {}

    async def send(message: dict) -> None:
        sent.append(message)

    try:
        await upstream.forward(CALL, receive, send)
    except (UnavailableError, DeadlineExceededError) as error:
        sent.append({"type": type(error).__name__})
    return sent


@pytest.mark.parametrize("answer", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"])
async def test_service_is_unavailable_when_it_answers_no_http(answer):
    async with answering(answer, then_close=True) as upstream:
        assert [message["type"] for message in await forward(upstream)] == ["UnavailableError"]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ],
)
async def test_answer_stays_incomplete_when_the_service_breaks_off(answer):
    async with answering(answer, then_close=True) as upstream:
        messages = await forward(upstream)
    assert messages[0]["status"] == 200
    assert messages[-1]["type"] == "UnavailableError"
    assert not any(message.get("more_body") is False or message.get("body") == b"" for message in messages[1:])


async def test_time_runs_out_when_the_service_says_nothing(monkeypatch):
    monkeypatch.setattr(over_http, "READ_SECONDS", 0.2)
    async with answering(b"", then_close=False) as upstream:
        assert [message["type"] for message in await forward(upstream)] == ["DeadlineExceededError"]


async def test_time_runs_out_when_the_service_pauses_in_its_answer(monkeypatch):
    monkeypatch.setattr(over_http, "READ_SECONDS", 0.2)
    async with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", then_close=False) as upstream:
        messages = await forward(upstream)
    assert (messages[0]["status"], messages[-1]["type"]) == (200, "DeadlineExceededError")


async def test_redirect_goes_on_unfollowed_when_the_service_sends_one():
    answer = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://evil/\r\nContent-Length: 0\r\n\r\n"
    async with answering(answer, then_close=True) as upstream:
        assert (await forward(upstream))[0]["status"] == 307


async def test_compressed_body_goes_on_as_it_is_when_the_service_compressed_it():
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 7\r\n\r\nnotgzip"
    async with answering(answer, then_close=True) as upstream:
        assert b"".join(message.get("body", b"") for message in await forward(upstream)) == b"notgzip"
