"""A service in another process: aiohttp, streaming both ways, with an internal token instead of the client's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
from multidict import CIMultiDict
from starlette.types import Receive, Send
from yarl import URL

from datamate.core.errors import DeadlineExceededError, UnavailableError
from datamate.platform.http.connections import ConnectionPool
from datamate.platform.http.over_http import HttpTransport
from datamate.platform.security import InternalTokens
from datamate.services.gateway.upstream.fetch import CALLER, fetch
from datamate.services.gateway.upstream.port import ForwardedCall

CONNECT_SECONDS: Final = 2.0
READ_SECONDS: Final = 75.0
"""Longest pause of a service; above the gateway's own limit for the first byte, which gives the clearer error."""


class _ClientLeftError(Exception):
    """The client left in the middle of its body."""


class HttpUpstream:
    """Sends requests to an address; one connection each, kept open for the next."""

    def __init__(
        self, base_url: str, *, service: str, tokens: InternalTokens, connect_seconds: float = CONNECT_SECONDS
    ) -> None:
        """Make an upstream; connections are opened when the first request needs one.

        Args:
            base_url: `http://host:port`.
            service: The name of the service there, the only one that will accept the tokens.
            tokens: Mints the tokens.
            connect_seconds: Longest wait for a connection.
        """
        self._base_url = base_url.rstrip("/")
        self._service = service
        self._tokens = tokens
        self._pool = ConnectionPool(connect_seconds)
        self._timeouts = self._pool.timeouts(read_seconds=READ_SECONDS)

    async def forward(self, call: ForwardedCall, receive: Receive, send: Send) -> None:
        """Send a request and pass its answer on, both as they come."""
        try:
            answer = await self._pool.session().request(
                call.scope["method"],
                self._url(call),
                headers=self._headers(call),
                data=_body(receive) if call.has_body else None,
                allow_redirects=False,
                timeout=self._timeouts,
            )
            try:
                await _pass_on(answer, send)
            finally:
                # An answer read to its end has given its connection back already; anything less closes it.
                answer.close()
        except aiohttp.ServerTimeoutError:
            raise DeadlineExceededError(f"The service {self._service} did not answer in time.") from None
        except (aiohttp.ClientError, OSError) as error:
            raise UnavailableError(f"The service {self._service} does not answer; try again.") from error

    async def fetch(self, path: str) -> tuple[int, bytes]:
        """Return status and body of one of the service's own public addresses."""
        transport = HttpTransport(self._base_url)
        try:
            return await fetch(transport, path)
        finally:
            await transport.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Close the connections at the end."""
        try:
            yield
        finally:
            await self._pool.close()

    def _url(self, call: ForwardedCall) -> URL:
        query: bytes = call.scope["query_string"]
        target = call.path + b"?" + query if query else call.path
        return URL(self._base_url + target.decode("ascii"), encoded=True)

    def _headers(self, call: ForwardedCall) -> CIMultiDict[str]:
        headers = CIMultiDict((name.decode("latin-1"), value.decode("latin-1")) for name, value in call.fields)
        if call.principal is not None:
            token = self._tokens.mint(call.principal, service=self._service, caller=CALLER)
            headers["authorization"] = f"Bearer {token}"
        return headers


async def _pass_on(answer: aiohttp.ClientResponse, send: Send) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": list(answer.raw_headers)})
    async for chunk in answer.content.iter_any():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _ClientLeftError
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body", False):
            return
