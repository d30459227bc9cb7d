"""One request on its way through: waits only so long, cleans the answer, notices who leaves."""

import asyncio
from typing import Final

from starlette.types import Message, Receive, Scope, Send

from datamate.core.errors import DatamateError, DeadlineExceededError
from datamate.platform.http.event_stream import STOPPING_SCOPE_KEY
from datamate.platform.http.served_request import ServedRequest
from datamate.platform.telemetry.metrics import UNMATCHED_ROUTE
from datamate.services.gateway.edge.head import HeaderField, answer_fields

FIRST_BYTE_SECONDS: Final = 60.0
"""From the end of a request to the head of its answer."""

IDLE_SECONDS: Final = 60.0
"""Longest pause of a client that sends or is sent a body."""

NOTHING_LOADS: Final = b"default-src 'none'; frame-ancestors 'none'"
"""The Content-Security-Policy of everything that is not a page of the gateway's own."""

_SECURITY_FIELDS: Final[list[HeaderField]] = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_OWN_NAMES: Final = {name for name, _ in _SECURITY_FIELDS} | {b"content-security-policy", b"x-request-id"}


class SlowClientError(DeadlineExceededError):
    """The body of the request did not arrive in time."""

    code = "slow_client"


class ProxiedRequest(ServedRequest):
    """A request that the gateway passes on; it limits time, services limit sizes."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope, receive, send)
        self.max_body_bytes = None
        self.reads_json = False
        self.request_id = b""
        self.route = UNMATCHED_ROUTE
        self.user_id: str | None = None
        self.content_policy = NOTHING_LOADS
        self.cut_by_stop = False
        self._loop = asyncio.get_running_loop()
        self._stopping: asyncio.Event | None = scope.get(STOPPING_SCOPE_KEY)
        self._stop_watch: asyncio.Task[None] | None = None

    async def receive(self) -> Message:
        """Return the next part of the body; the client may pause, but not for ever."""
        message = await super().receive()
        if not self.status:
            self._allow(FIRST_BYTE_SECONDS if self.body_ended else IDLE_SECONDS)
        return message

    async def send(self, message: Message) -> None:
        """Pass on a part of the answer, its head cleaned."""
        if message["type"] == "http.response.start":
            message = {**message, "headers": self._answer_fields(message.get("headers", ()))}
            await super().send(message)
            return
        if not message.get("more_body", False):
            await super().send(message)
            return
        # A client that stops reading blocks this call; what the service still sends waits in the service.
        self._allow(IDLE_SECONDS)
        await super().send(message)
        self._allow(None)

    def timed_out(self) -> DatamateError:
        """Return what ran out of time."""
        return DeadlineExceededError("The service did not answer in time.") if self.body_ended else SlowClientError()

    def stop_watch(self) -> None:
        """Stop looking for the client and for the server's stop."""
        super().stop_watch()
        if self._stop_watch is not None:
            self._stop_watch.cancel()

    def _answer_fields(self, fields: list[HeaderField]) -> list[HeaderField]:
        kept = answer_fields(fields)
        if any(name == b"content-type" and value.startswith(b"text/event-stream") for name, value in kept):
            self._end_with_server()
        return [
            *(item for item in kept if item[0] not in _OWN_NAMES),
            *_SECURITY_FIELDS,
            (b"content-security-policy", self.content_policy),
            (b"x-request-id", self.request_id),
        ]

    def _end_with_server(self) -> None:
        """Have an endless answer cut when the server stops, so that nobody waits for its end."""
        if self._stopping is not None:
            self._stop_watch = asyncio.create_task(self._cut_at(self._stopping))

    async def _cut_at(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        if not self.complete and self._task is not None:
            self.cut_by_stop = True
            self._task.cancel()

    def _allow(self, seconds: float | None) -> None:
        if self.deadline is not None:
            self.deadline.reschedule(None if seconds is None else self._loop.time() + seconds)
