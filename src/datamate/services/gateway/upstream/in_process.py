"""A service in this process: its application is called directly, and the principal travels in the scope."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send

from datamate.platform.http.event_stream import STOPPING_SCOPE_KEY
from datamate.platform.http.in_process import IN_PROCESS_SCOPE_KEY, InProcessTransport
from datamate.platform.http.lifespan import running
from datamate.platform.security import PRINCIPAL_SCOPE_KEY
from datamate.services.gateway.upstream.fetch import CALLER, fetch
from datamate.services.gateway.upstream.port import ForwardedCall


class InProcessUpstream:
    """Calls an ASGI application; back-pressure and the client's leaving reach it as they reach the gateway."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def forward(self, call: ForwardedCall, receive: Receive, send: Send) -> None:
        """Run the application for one request."""
        await self._app(_scope(call), receive, send)

    async def fetch(self, path: str) -> tuple[int, bytes]:
        """Return status and body of one of the service's own public addresses."""
        return await fetch(InProcessTransport(self._app, CALLER), path)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the application's lifespan."""
        async with running(self._app):
            yield


def _scope(call: ForwardedCall) -> Scope:
    client = call.scope
    path = call.path.decode("ascii")
    scope = {
        "type": "http",
        "asgi": client["asgi"],
        "http_version": client["http_version"],
        "method": client["method"],
        "scheme": client["scheme"],
        "path": unquote(path) if "%" in path else path,
        "raw_path": call.path,
        "query_string": client["query_string"],
        "root_path": "",
        "headers": _fields(call),
        "client": client.get("client"),
        "server": client.get("server"),
        IN_PROCESS_SCOPE_KEY: CALLER,
        STOPPING_SCOPE_KEY: client.get(STOPPING_SCOPE_KEY),
    }
    if call.principal is not None:
        scope[PRINCIPAL_SCOPE_KEY] = call.principal
    return scope


def _fields(call: ForwardedCall) -> list[tuple[bytes, bytes]]:
    fields = [(b"host", b"in-process"), *call.fields]
    if call.has_body and not any(name == b"content-length" for name, _ in call.fields):
        # The framing was this hop's own; the application must still learn that a body follows.
        fields.append((b"transfer-encoding", b"chunked"))
    return fields
