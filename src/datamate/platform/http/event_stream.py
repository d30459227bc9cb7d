"""Server-sent events: a stream that keeps the connection alive, can be resumed, and ends when the reader leaves."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Header
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

STOPPING_SCOPE_KEY: Final = "datamate.stopping"
"""Where the server puts the asyncio.Event that is set when it begins to stop; streams end then, others finish."""

HEARTBEAT_SECONDS: Final = 15.0
_HEARTBEAT: Final = b": keep-alive\n\n"

LastEventId = Annotated[
    str | None, Header(alias="Last-Event-ID", max_length=128, description="Resume after the event of this id.")
]
"""What the reader saw last, as a parameter of a route; None at its first connection."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event of a stream.

    Attributes:
        data: Its body, written as one line of JSON.
        event: Its type; None leaves it "message".
        id: What a reader that lost the connection sends back to resume after this event; None leaves it unchanged.
    """

    data: BaseModel
    event: str | None = None
    id: str | None = None

    def encode(self) -> bytes:
        """Return the event as it goes over the wire."""
        lines = [f"id: {self.id}\n"] if self.id is not None else []
        if self.event is not None:
            lines.append(f"event: {self.event}\n")
        lines.append(f"data: {self.data.model_dump_json()}\n\n")
        return "".join(lines).encode()


def event_stream(
    events: AsyncIterator[ServerEvent], *, heartbeat_seconds: float = HEARTBEAT_SECONDS
) -> StreamingResponse:
    """Return the answer that sends events as they come.

    The iterator is closed as soon as the reader leaves, also while it waits for the next event.

    Args:
        events: Ends the stream when it ends; if it raises, the connection breaks and the reader resumes.
        heartbeat_seconds: A comment goes out whenever nothing else did for this long.
    """
    return _EventStreamResponse(events, heartbeat_seconds)


class _EventStreamResponse(StreamingResponse):
    def __init__(self, events: AsyncIterator[ServerEvent], heartbeat_seconds: float) -> None:
        super().__init__(
            _encoded(events, heartbeat_seconds),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until they end, the reader leaves, or the server stops; whichever comes first."""
        sending = asyncio.create_task(self.stream_response(send))
        watching = [asyncio.create_task(_left(receive))]
        stopping = scope.get(STOPPING_SCOPE_KEY)
        if isinstance(stopping, asyncio.Event):
            watching.append(asyncio.create_task(_set(stopping)))
        try:
            await asyncio.wait({sending, *watching}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                await sending
        finally:
            await _cancel(sending, *watching)


async def _encoded(events: AsyncIterator[ServerEvent], heartbeat_seconds: float) -> AsyncIterator[bytes]:
    # The next event is awaited in a task, because a timeout around the iterator itself would end the iterator.
    following = asyncio.create_task(_following(events))
    try:
        while True:
            done, _ = await asyncio.wait({following}, timeout=heartbeat_seconds)
            if not done:
                yield _HEARTBEAT
                continue
            event = following.result()
            if event is None:
                return
            yield event.encode()
            following = asyncio.create_task(_following(events))
    finally:
        await _cancel(following)
        if isinstance(events, AsyncGenerator):
            await events.aclose()


async def _following(events: AsyncIterator[ServerEvent]) -> ServerEvent | None:
    return await anext(events, None)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _set(event: asyncio.Event) -> None:
    await event.wait()


async def _cancel(*tasks: asyncio.Task[None] | asyncio.Task[ServerEvent | None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
