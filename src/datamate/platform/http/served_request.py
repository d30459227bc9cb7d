"""One request as a service works on it: what came in, what went out, and the guards on both ways."""

import asyncio
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from datamate.core.errors import DatamateError, InvalidInputError, TooLargeError
from datamate.platform.http.text_guard import refuse_bad_json

SERVED_REQUEST_SCOPE_KEY: Final = "datamate.served_request"
MAX_BODY_BYTES: Final = 16 * 1024 * 1024
"""Largest body of a route that does not say otherwise with `raw_body`."""

CLIENT_LEFT_STATUS: Final = 499
"""What logs and metrics call a request whose client did not wait for the answer. Source: nginx."""

_WATCH_AFTER_SECONDS: Final = 0.1
_YIELD_EVERY_BYTES: Final = 256 * 1024


class BodyRefusedError(HTTPException):
    """A body that is refused while it arrives; an HTTPException, because FastAPI hides every other error there."""

    def __init__(self, error: DatamateError) -> None:
        super().__init__(status_code=400, detail=error.detail)
        self.error = error


class ServedRequest:
    """Stands between the server and the application for one request."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive_from_server = receive
        self._send_to_server = send
        self._task = asyncio.current_task()
        self._watch: asyncio.Task[None] | asyncio.TimerHandle | None = None
        self.method: str = scope["method"]
        self.max_body_bytes: int | None = MAX_BODY_BYTES
        self.reads_json = True
        self._sent_bytes = 0
        self.status = 0
        self.complete = False
        self.client_left = False
        self.deadline: asyncio.Timeout | None = None
        self._read_headers(scope["headers"])

    def _read_headers(self, fields: list[tuple[bytes, bytes]]) -> None:
        self.headers: dict[bytes, bytes] = dict(fields)
        length = self.headers.get(b"content-length", b"")
        self._announced_bytes = int(length) if length.isdigit() else 0
        self._received_bytes = 0
        self.body_ended = not self._announced_bytes and b"transfer-encoding" not in self.headers
        self._body_handed_over = False
        self._is_json = b"json" in self.headers.get(b"content-type", b"").lower()
        self._json_chunks: list[bytes] = []

    @property
    def final_status(self) -> int:
        """Return what logs and metrics say became of the request."""
        return CLIENT_LEFT_STATUS if self.client_left and not self.complete else self.status or 500

    async def receive(self) -> Message:
        """Return what the client sends next, after looking at it."""
        if self.body_ended:
            return await self._receive_after_body()
        if self.max_body_bytes is not None and self._announced_bytes > self.max_body_bytes:
            raise BodyRefusedError(self._too_large())
        message = await self._receive_from_server()
        if message["type"] == "http.disconnect":
            self.client_left = not self.complete
        else:
            self._look_at(message.get("body", b""), last=not message.get("more_body", False))
        return message

    async def send(self, message: Message) -> None:
        """Pass on what the application answers."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.deadline is not None:
                self.deadline.reschedule(None)
            if not self.body_ended:
                # What is left of the body would be read as the next request's.
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
        elif not message.get("more_body", False):
            self.complete = True
        await self._send_to_server(message)
        if message.get("more_body", False):
            await self._let_others_run(len(message.get("body", b"")))

    async def _let_others_run(self, sent_bytes: int) -> None:
        """Suspend from time to time: after the client left, sending never waits, and nobody would notice."""
        if isinstance(self._watch, asyncio.TimerHandle):
            self._watch.cancel()
            self._start_watch()
        self._sent_bytes += sent_bytes
        if self._sent_bytes >= _YIELD_EVERY_BYTES:
            self._sent_bytes = 0
            await asyncio.sleep(0)

    def watch_client(self) -> None:
        """Cancel the application's task when the client leaves; starts late, since most answers are quick."""
        self._watch = asyncio.get_running_loop().call_later(_WATCH_AFTER_SECONDS, self._start_watch)

    def stop_watch(self) -> None:
        """Stop looking for the client; must be called at the end of every request."""
        if self._watch is not None:
            self._watch.cancel()

    def _start_watch(self) -> None:
        if self.body_ended:
            self._watch = asyncio.create_task(self._cancel_when_client_leaves())
        else:
            # The application still reads the body, and learns from that if the client leaves.
            self.watch_client()

    async def _cancel_when_client_leaves(self) -> None:
        while (await self._receive_from_server())["type"] != "http.disconnect":
            pass
        if not self.complete and self._task is not None:
            self.client_left = True
            self._task.cancel()

    async def _receive_after_body(self) -> Message:
        if not self._body_handed_over:
            self._body_handed_over = True
            if not self._received_bytes:
                return {"type": "http.request", "body": b"", "more_body": False}
        while (message := await self._receive_from_server())["type"] != "http.disconnect":
            pass
        self.client_left = not self.complete
        return message

    def _look_at(self, chunk: bytes, *, last: bool) -> None:
        self._received_bytes += len(chunk)
        if self.max_body_bytes is not None and self._received_bytes > self.max_body_bytes:
            raise BodyRefusedError(self._too_large())
        if self._is_json and self.reads_json:
            self._json_chunks.append(chunk)
            if last:
                _refuse_bad_json(b"".join(self._json_chunks))
        self.body_ended = self._body_handed_over = last

    def _too_large(self) -> TooLargeError:
        return TooLargeError(f"The body is larger than the {self.max_body_bytes} bytes that this address accepts.")


def _refuse_bad_json(body: bytes) -> None:
    try:
        refuse_bad_json(body)
    except InvalidInputError as error:
        raise BodyRefusedError(error) from None
