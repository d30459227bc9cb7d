import asyncio
import time

import pytest
from pydantic import BaseModel

from datamate.platform.http.event_stream import ServerEvent, event_stream


class Text(BaseModel):
    text: str


async def run(response, *, leave: asyncio.Event | None = None) -> list[bytes]:
    sent: list[bytes] = []

    async def receive() -> dict:
        await (leave or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    async def send(message: dict) -> None:
        sent.append(message.get("body", b""))

    await response({"type": "http"}, receive, send)
    return sent


async def test_event_is_one_block_of_lines_when_its_data_holds_line_breaks():
    event = ServerEvent(Text(text="a\nb\r\n\0"), event="note", id="7")
    assert event.encode() == b'id: 7\nevent: note\ndata: {"text":"a\\nb\\r\\n\\u0000"}\n\n'


async def test_stream_ends_when_its_events_end():
    async def events():
        yield ServerEvent(Text(text="only"))

    assert await run(event_stream(events())) == [b"", b'data: {"text":"only"}\n\n', b""]


async def test_comments_come_when_events_do_not():
    async def events():
        await asyncio.sleep(0.35)
        yield ServerEvent(Text(text="late"))

    sent = await run(event_stream(events(), heartbeat_seconds=0.1))
    assert sent.count(b": keep-alive\n\n") == 3
    assert sent[-2].startswith(b"data:")


async def test_error_of_the_events_goes_to_the_boundary_when_they_raise():
    async def events():
        yield ServerEvent(Text(text="x"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await run(event_stream(events()))


async def test_events_are_closed_at_once_when_the_reader_leaves_while_they_wait():
    closed, leave = asyncio.Event(), asyncio.Event()

    async def events():
        try:
            yield ServerEvent(Text(text="x"))
            await asyncio.sleep(60)
        finally:
            closed.set()

    asyncio.get_running_loop().call_later(0.1, leave.set)
    started = time.perf_counter()
    await run(event_stream(events()), leave=leave)
    assert closed.is_set()
    assert time.perf_counter() - started < 1
