"""The transport to a service in another process: aiohttp over a pool of connections, no retries."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final, Protocol

import aiohttp
from yarl import URL

from datamate.core.errors import DeadlineExceededError, UnavailableError
from datamate.platform.http.connections import ConnectionPool
from datamate.platform.http.exchange import (
    DEADLINE_HEADER,
    OutgoingRequest,
    context_headers,
    encode_query,
    join_headers,
)
from datamate.platform.security.internal_tokens import InternalTokens
from datamate.platform.security.principal import Principal, service_principal

CONNECT_SECONDS: Final = 2.0
IDLE_SECONDS: Final = 60.0
"""An answer that pauses longer than this is given up; event streams send a comment four times as often."""


class Authenticator(Protocol):
    """Proves to a service who asks."""

    def headers(self) -> Mapping[str, str]:
        """Return the headers for the next request."""


@dataclass(frozen=True, slots=True)
class BearerAuthenticator:
    """Sends one token with every request."""

    token: str

    def headers(self) -> Mapping[str, str]:
        """Return the authorization header."""
        return {"authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, slots=True)
class InternalAuthenticator:
    """Mints an internal token for every request."""

    tokens: InternalTokens
    service: str
    caller: str
    principal: Principal

    def headers(self) -> Mapping[str, str]:
        """Return the authorization header."""
        token = self.tokens.mint(self.principal, service=self.service, caller=self.caller)
        return {"authorization": f"Bearer {token}"}


class HttpTransport:
    """Calls a service at an address."""

    def __init__(
        self, base_url: str, *, authenticator: Authenticator | None = None, connect_seconds: float = CONNECT_SECONDS
    ) -> None:
        """Make a transport; connections are opened when the first request needs one.

        Args:
            base_url: `http://host:port`, with a path in front of every request's path if there is one.
            authenticator: Who asks; None sends no credentials of its own.
            connect_seconds: Longest wait for a connection.
        """
        self._base_url = base_url.rstrip("/")
        self._authenticator = authenticator
        self._pool = ConnectionPool(connect_seconds)

    @asynccontextmanager
    async def send(self, request: OutgoingRequest) -> AsyncIterator["HttpAnswer"]:
        """Send a request; leaving the context before the body ended closes the connection.

        Raises:
            UnavailableError: The service cannot be reached or broke the connection.
            DeadlineExceededError: No headers within the deadline.
        """
        body = _Body(request.body)
        response = await self._open(request, body)
        try:
            yield HttpAnswer(response, body)
        finally:
            # Reading to the end has already given the connection back; anything less closes it.
            response.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()

    async def _open(self, request: OutgoingRequest, body: "_Body") -> aiohttp.ClientResponse:
        try:
            async with asyncio.timeout(request.deadline_seconds):
                return await self._pool.session().request(
                    request.method,
                    self._url(request),
                    headers=self._headers(request),
                    data=body.payload(),
                    allow_redirects=False,
                    timeout=self._pool.timeouts(read_seconds=max(IDLE_SECONDS, request.deadline_seconds)),
                )
        except aiohttp.ConnectionTimeoutError:
            raise UnavailableError(f"The service at {self._base_url} does not accept connections.") from None
        except TimeoutError:
            raise DeadlineExceededError from None
        except (aiohttp.ClientError, OSError) as error:
            body.raise_failure()
            raise UnavailableError(f"The service at {self._base_url} cannot be reached: {error}") from error

    def _url(self, request: OutgoingRequest) -> URL:
        query = encode_query(request.query)
        return URL(f"{self._base_url}{request.path}{'?' if query else ''}{query}", encoded=True)

    def _headers(self, request: OutgoingRequest) -> dict[str, str]:
        headers = {DEADLINE_HEADER: str(max(1, round(request.deadline_seconds * 1000))), **context_headers()}
        headers.update(request.headers)
        if self._authenticator is not None:
            headers.update(self._authenticator.headers())
        return headers


class InternalHttpTransport(HttpTransport):
    """Calls another service of DataMate with internal tokens."""

    def __init__(self, base_url: str, *, service: str, caller: str, tokens: InternalTokens) -> None:
        """Make a transport that speaks for the caller itself until `as_principal` says otherwise.

        Args:
            base_url: `http://host:port`.
            service: The name of the service there, the only one that will accept the tokens.
            caller: The part of DataMate that calls.
            tokens: Mints the tokens.
        """
        self._identity = InternalAuthenticator(tokens, service, caller, service_principal(caller))
        super().__init__(base_url, authenticator=self._identity)

    def as_principal(self, principal: Principal) -> HttpTransport:
        """Return a transport for the calls of one principal; it shares the connections of this one."""
        transport = HttpTransport(self._base_url, authenticator=replace(self._identity, principal=principal))
        transport._pool = self._pool  # noqa: SLF001 - the same class
        return transport


class HttpAnswer:
    """The answer of a server; its body has not been read yet."""

    def __init__(self, response: aiohttp.ClientResponse, body: "_Body") -> None:
        self._response = response
        self._body = body
        self.status = response.status
        self.headers: Mapping[str, str] = join_headers(response.raw_headers)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives; may be called once.

        Raises:
            UnavailableError: The connection broke, or nothing came for too long.
        """
        try:
            async for chunk in self._response.content.iter_any():
                yield chunk
        except TimeoutError:
            raise UnavailableError("The service paused too long in the middle of its answer.") from None
        except (aiohttp.ClientError, OSError) as error:
            self._body.raise_failure()
            raise UnavailableError("The service broke off its answer.") from error


class _Body:
    """A request's body; keeps the error of its source, which aiohttp would report as a broken connection."""

    def __init__(self, source: bytes | AsyncIterator[bytes] | None) -> None:
        self._source = source
        self._failure: Exception | None = None

    def payload(self) -> bytes | AsyncIterator[bytes] | None:
        source = self._source
        return source if source is None or isinstance(source, bytes) else self._watched(source)

    def raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    async def _watched(self, source: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        try:
            async for chunk in source:
                yield chunk
        except Exception as error:
            self._failure = error
            raise
