"""The HTTP server of a process: uvicorn on httptools, stopped in order."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import structlog
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from datamate.core.errors import ConfigurationError, UnavailableError
from datamate.platform.http.event_stream import STOPPING_SCOPE_KEY
from datamate.platform.http.head_guard import HeadGuardProtocol
from datamate.platform.http.lifespan import running
from datamate.platform.http.problems import problem_of

KEEP_ALIVE_SECONDS: Final = 75
GRACE_SECONDS: Final = 10
"""How long answers that are under way may take after the stop; then they are cut."""

_BACKLOG: Final = 2_048
_log = structlog.get_logger(__name__)


async def serve(  # noqa: PLR0913 - options of one call, all but the first three by keyword
    app: ASGIApp,
    host: str,
    port: int,
    *,
    stop: asyncio.Event,
    on_started: Callable[[int], None] | None = None,
    drain_seconds: float = 0.0,
) -> None:
    """Serve an application until `stop` is set; run the event loop on uvloop for speed.

    After the stop `/health/ready` says 503 and event streams end; after `drain_seconds` no connection is accepted, what
    is under way is finished, and after `GRACE_SECONDS` it is cut. Then the lifespan of the application ends.

    Args:
        app: Its lifespan runs around the serving; what that raises is raised here.
        host: Address to listen on.
        port: Port to listen on; 0 takes any free one.
        stop: Set it to stop.
        on_started: Called with the actual port once connections are accepted.
        drain_seconds: How long a load balancer takes to notice that this server is no longer ready.

    Raises:
        ConfigurationError: The address cannot be listened on.
    """
    with _listen(host, port) as listener:
        async with running(app):
            server = _Server(_configuration(_Stoppable(app, stop)), lambda: _report(listener, on_started))
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            stopping = asyncio.create_task(stop.wait())
            try:
                await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
                await asyncio.sleep(drain_seconds if stop.is_set() else 0)
                server.should_exit = True
                await serving
            finally:
                stopping.cancel()
                server.should_exit = server.force_exit = True
                await asyncio.wait({serving})


class _Stoppable:
    """Lets the application know that the server stops, and load balancers that it is no longer ready."""

    def __init__(self, app: ASGIApp, stopping: asyncio.Event) -> None:
        self._app = app
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._stopping.is_set() and scope.get("path") == "/health/ready":
            await problem_of(UnavailableError("This server is stopping.", code="stopping")).send(send)
            return
        scope[STOPPING_SCOPE_KEY] = self._stopping
        await self._app(scope, receive, send)


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: whoever runs this process decides what a signal means."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()


def _configuration(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        # httptools, never h11: that one takes a request with both a length and chunks, and with it a smuggled one.
        http=HeadGuardProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=_BACKLOG,
    )


@contextmanager
def _listen(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise ConfigurationError(
            f"Cannot listen on {host}:{port}: {error.strerror}. Stop what uses that port, or set another one."
        ) from error
    with listener:
        listener.setblocking(False)
        yield listener


def _report(listener: socket.socket, on_started: Callable[[int], None] | None) -> None:
    host, port = listener.getsockname()[:2]
    _log.info("listening", host=host, port=port)
    if on_started is not None:
        on_started(port)
