"""Server-sent events: parsing and resuming."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from datamate.clients import events
from datamate.clients.events import ServerEvent, follow_events, parse_events
from datamate.core.errors import NotFoundError, UnavailableError


class StubResponse:
    status = 200
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed

    def __init__(self, chunks: list[bytes | Exception | float]):
        self._chunks = chunks

    async def chunks(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            if isinstance(chunk, Exception):
                raise chunk
            if isinstance(chunk, float):
                await asyncio.sleep(chunk)
                continue
            yield chunk


class StubStreams:
    """Answers one connection after the other and remembers where each began."""

    def __init__(self, *connections: list[bytes | Exception | float] | Exception):
        self._connections = list(connections)
        self.opened_after: list[str] = []

    @asynccontextmanager
    async def open(self, last_event_id: str) -> AsyncIterator[StubResponse]:
        self.opened_after.append(last_event_id)
        connection = self._connections.pop(0) if self._connections else []
        if isinstance(connection, Exception):
            raise connection
        yield StubResponse(connection)


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def take(count: int, source: AsyncIterator[ServerEvent]) -> list[ServerEvent]:
    taken = []
    async for event in source:
        taken.append(event)
        if len(taken) == count:
            break
    return taken


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(events, "_FIRST_PAUSE_SECONDS", 0.0)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
async def test_events_are_parsed_when_lines_end_in_any_way(end):
    body = end.join(
        [b"id: 7", b"event: task", b'data: {"a":', b"data: 1}", b"", b": comment", b"data:x", b"", b":", b""]
    )
    parsed = [event async for event in parse_events(stream(body))]
    assert parsed == [ServerEvent("task", '{"a":\n1}', "7"), ServerEvent("message", "x", "7")]


async def test_events_are_parsed_when_chunks_cut_lines_and_characters():
    body = "id: 1\r\ndata: grüße\r\n\r\n".encode()
    parsed = [event async for event in parse_events(stream(*(bytes([byte]) for byte in body)))]
    assert parsed == [ServerEvent("message", "grüße", "1")]


async def test_cut_off_event_is_left_out_when_stream_ends():
    assert [event async for event in parse_events(stream(b"data: whole\n\ndata: half\n"))] == [
        ServerEvent("message", "whole", "")
    ]


async def test_following_resumes_after_last_event_when_connection_breaks():
    streams = StubStreams(
        [b"id: 1\ndata: a\n\n", UnavailableError("gone")], UnavailableError("still gone"), [b"id: 2\ndata: b\n\n"]
    )
    taken = await take(2, follow_events(streams.open))
    assert [event.data for event in taken] == ["a", "b"]
    assert streams.opened_after == ["", "1", "1"]


async def test_following_connects_again_when_server_is_silent():
    streams = StubStreams([b"id: 4\ndata: a\n\n", 5.0], [b"id: 5\ndata: b\n\n"])
    taken = await take(2, follow_events(streams.open, silence_seconds=0.05))
    assert [event.id for event in taken] == ["4", "5"]


async def test_following_ends_when_error_is_not_worth_waiting():
    streams = StubStreams(NotFoundError("no such task"))
    with pytest.raises(NotFoundError):
        await take(1, follow_events(streams.open))
    assert len(streams.opened_after) == 1


async def test_following_gives_up_when_no_connection_brings_an_event():
    streams = StubStreams()
    with pytest.raises(UnavailableError):
        await take(1, follow_events(streams.open))
    assert len(streams.opened_after) == events.MAX_ATTEMPTS


async def test_following_ends_when_server_has_no_further_event():
    streams = StubStreams([b"id: 1\ndata: a\n\n"])
    ended = StubResponse([])
    ended.status = 204
    first = streams.open

    @asynccontextmanager
    async def open_stream(last_event_id: str):
        if last_event_id:
            yield ended
        else:
            async with first(last_event_id) as response:
                yield response

    assert [event.data async for event in follow_events(open_stream)] == ["a"]
