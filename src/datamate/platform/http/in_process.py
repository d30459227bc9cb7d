"""The transport to a service in the same process: plain ASGI, no socket, streaming both ways.

The application runs in a task of its own that holds at most two chunks of the answer, so a slow reader slows it down,
and that is cancelled when the reader leaves before the end.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final
from urllib.parse import unquote

import structlog
from starlette.types import ASGIApp, Message, Scope

from datamate.core.errors import DeadlineExceededError, UnavailableError
from datamate.platform.http.exchange import OutgoingRequest, context_headers, encode_query, join_headers
from datamate.platform.http.problems import internal_problem
from datamate.platform.security.principal import PRINCIPAL_SCOPE_KEY, Principal, service_principal

IN_PROCESS_SCOPE_KEY: Final = "datamate.in_process"
"""Present in the scope of a request that came over no socket of its own."""

_HELD_CHUNKS: Final = 2
_GRACE_SECONDS: Final = 5.0
_BODILESS_STATUSES: Final = frozenset({204, 304})

_log = structlog.get_logger(__name__)


class InProcessTransport:
    """Calls an ASGI application directly."""

    def __init__(self, app: ASGIApp, caller: str, *, principal: Principal | None = None) -> None:
        """Make a transport.

        Args:
            app: The service; its lifespan is the composition root's business.
            caller: The part of DataMate that calls.
            principal: On whose behalf; None means the caller's own.
        """
        self._app = app
        self._caller = caller
        self._principal = replace(principal, actor=caller) if principal else service_principal(caller)
        self._running: set[asyncio.Task[None]] = set()

    def as_principal(self, principal: Principal) -> "InProcessTransport":
        """Return a transport for the calls of one principal."""
        transport = InProcessTransport(self._app, self._caller, principal=principal)
        transport._running = self._running
        return transport

    @asynccontextmanager
    async def send(self, request: OutgoingRequest) -> AsyncIterator["InProcessAnswer"]:
        """Send a request; leaving the context before the body ended cancels the application's task.

        Raises:
            DeadlineExceededError: The application sent no headers within the deadline.
        """
        call = _Call(request)
        task = asyncio.create_task(call.run(self._app, self._scope(request)))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            try:
                async with asyncio.timeout(request.deadline_seconds) as deadline:
                    answer = await call.answer
            except TimeoutError:
                if deadline.expired():
                    raise DeadlineExceededError from None
                raise
            yield answer
        finally:
            await call.leave(task)

    async def close(self) -> None:
        """Cancel what still runs."""
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running, timeout=_GRACE_SECONDS)

    def _scope(self, request: OutgoingRequest) -> Scope:
        headers = {"host": "in-process", **context_headers(), **request.headers}
        if isinstance(request.body, bytes):
            headers["content-length"] = str(len(request.body))
        elif request.body is not None and "content-length" not in headers:
            headers["transfer-encoding"] = "chunked"
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": unquote(request.path),
            "raw_path": request.path.encode("ascii"),
            "query_string": encode_query(request.query).encode("ascii"),
            "root_path": "",
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
            "client": None,
            "server": None,
            PRINCIPAL_SCOPE_KEY: self._principal,
            IN_PROCESS_SCOPE_KEY: self._caller,
        }


class InProcessAnswer:
    """The answer of an application; its chunks come through a queue that holds two."""

    def __init__(self, status: int, headers: Mapping[str, str], queue: asyncio.Queue[bytes | None]) -> None:
        self.status = status
        self.headers = headers
        self.failure: Exception | None = None
        self._queue = queue

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives; may be called once.

        Raises:
            UnavailableError: The application failed halfway.
        """
        while (chunk := await self._queue.get()) is not None:
            yield chunk
        if self.failure is not None:
            raise self.failure


class _Call:
    """Both ends of one call: `receive` and `send` for the application, `answer` for the caller."""

    def __init__(self, request: OutgoingRequest) -> None:
        self.answer: asyncio.Future[InProcessAnswer] = asyncio.get_running_loop().create_future()
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(_HELD_CHUNKS)
        self._body = _chunks_of(request.body)
        self._body_ended = False
        self._gone = asyncio.Event()
        self._complete = False
        self._bodiless = request.method == "HEAD"

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        """Run the application to its end; whatever it does, the caller gets an answer."""
        try:
            await app(scope, self._receive, self._send)
        except Exception:  # noqa: BLE001 - see below
            # The boundary of the application, as a server has one: the caller gets a 500, the log the reason.
            _log.exception("application_failed", path=scope["path"])
        if not self.answer.done():
            problem = internal_problem()
            await self._send({"type": "http.response.start", "status": problem.status, "headers": problem.headers})
            await self._send({"type": "http.response.body", "body": problem.body})
        elif not self._complete and not self.answer.cancelled() and self.answer.exception() is None:
            started = self.answer.result()
            started.failure = started.failure or UnavailableError("The service broke off its answer.")
            await self._queue.put(None)

    async def leave(self, task: asyncio.Task[None]) -> None:
        """End the call from the caller's side; work after a complete answer goes on."""
        self._gone.set()
        if not self._complete and not task.done():
            task.cancel()
            _, pending = await asyncio.wait({task}, timeout=_GRACE_SECONDS)
            if pending:
                _log.error("application_ignores_cancellation")
        if self.answer.done() and not self.answer.cancelled():
            self.answer.exception()  # so that asyncio does not report as lost what the caller need not know
        if task.done():
            await self._body.aclose()

    async def _receive(self) -> Message:
        if not self._body_ended:
            try:
                chunk = await anext(self._body, None)
            except Exception as error:  # noqa: BLE001 - it is the caller's own error and goes back to the caller
                self._fail(error)
            else:
                self._body_ended = chunk is None
                return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    def _fail(self, error: Exception) -> None:
        self._body_ended = True
        self._gone.set()
        if not self.answer.done():
            self.answer.set_exception(error)
        elif not self.answer.cancelled() and self.answer.exception() is None:
            self.answer.result().failure = error

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            status: int = message["status"]
            self._bodiless = self._bodiless or status in _BODILESS_STATUSES
            if not self.answer.done():
                headers = join_headers(message.get("headers", ()))
                self.answer.set_result(InProcessAnswer(status, headers, self._queue))
        elif message["type"] == "http.response.body" and not self._complete:
            if message.get("body") and not self._bodiless:
                await self._queue.put(bytes(message["body"]))
            if not message.get("more_body"):
                await self._queue.put(None)
                self._complete = True


async def _chunks_of(body: bytes | AsyncIterator[bytes] | None) -> AsyncGenerator[bytes, None]:
    if isinstance(body, bytes):
        yield body
    elif body is not None:
        async for chunk in body:
            yield chunk
