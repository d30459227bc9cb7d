"""Server-sent events: parses a stream, and follows one across broken connections."""

import asyncio
import codecs
import io
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from datamate.clients.transport import TransportResponse
from datamate.core.errors import DatamateError, UnavailableError

MAX_ATTEMPTS = 8
"""Connections in a row that bring no event before `follow_events` gives up: about a minute."""

_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event of a stream.

    Attributes:
        event: Its name, `message` if the server gave none.
        data: Its text; lines are joined by a line feed.
        id: The last id the server gave, "" if it never gave one; send it back to resume after this event.
    """

    event: str
    data: str
    id: str


class _Assembler:
    """Puts the lines of a stream together to events.

    Source: WHATWG HTML, 9.2.6 "Interpreting an event stream".
    """

    def __init__(self, last_event_id: str) -> None:
        self._name = ""
        self._data: list[str] = []
        self._id = last_event_id

    def feed(self, line: str) -> ServerEvent | None:
        """Take one line without its end; return the event that it completes, if it does."""
        if not line:
            return self._complete()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "event":
                self._name = value
            case "data":
                self._data.append(value)
            case "id" if "\0" not in value:
                self._id = value
        return None

    def _complete(self) -> ServerEvent | None:
        event = ServerEvent(self._name or "message", "\n".join(self._data), self._id) if self._data else None
        self._name, self._data = "", []
        return event


async def parse_events(chunks: AsyncIterator[bytes], *, last_event_id: str = "") -> AsyncIterator[ServerEvent]:
    """Yield the events of a stream as they come in; one that is cut off at the end is left out.

    Args:
        chunks: The body, in pieces of any size.
        last_event_id: The id that holds until the stream names one.
    """
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")("replace"), translate=True)
    assembler = _Assembler(last_event_id)
    rest = ""
    async for chunk in chunks:
        *lines, rest = (rest + decoder.decode(chunk)).split("\n")
        for line in lines:
            if (event := assembler.feed(line)) is not None:
                yield event


async def follow_events(
    open_stream: Callable[[str], AbstractAsyncContextManager[TransportResponse]],
    *,
    last_event_id: str = "",
    silence_seconds: float = 60.0,
) -> AsyncGenerator[ServerEvent, None]:
    """Yield events for as long as the caller wants them, connecting again after the last one seen when a stream ends.

    Ends by itself only when the server answers 204: there will be no further event.

    Args:
        open_stream: Opens the stream after the event with this id, "" for its beginning.
        last_event_id: Where to begin.
        silence_seconds: A connection on which nothing came for so long, not even a comment, is given up.

    Raises:
        UnavailableError: `MAX_ATTEMPTS` connections in a row brought no event.
        DatamateError: The server refused the stream for a reason that waiting does not cure.
    """
    failures = 0
    while True:
        try:
            async with open_stream(last_event_id) as response:
                if response.status == 204:
                    return  # what a server answers when there will never be another event
                chunks = _with_silence_limit(response.chunks(), silence_seconds)
                async for event in parse_events(chunks, last_event_id=last_event_id):
                    failures, last_event_id = 0, event.id
                    yield event
        except DatamateError as error:
            if not error.retryable or failures + 1 >= MAX_ATTEMPTS:
                raise
        failures += 1
        if failures >= MAX_ATTEMPTS:
            raise UnavailableError("The server keeps ending its stream of events without one; try again later.")
        await asyncio.sleep(min(_FIRST_PAUSE_SECONDS * 2 ** (failures - 1), _LONGEST_PAUSE_SECONDS))


async def _with_silence_limit(chunks: AsyncIterator[bytes], silence_seconds: float) -> AsyncIterator[bytes]:
    while True:
        try:
            async with asyncio.timeout(silence_seconds):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise UnavailableError(f"The server sent nothing for {silence_seconds:g} seconds.") from None
        yield chunk
