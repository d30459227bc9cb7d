"""The transport of the client: aiohttp to a gateway, with a user's access token.

`platform.http` has a transport between services; this one loads no part of the server, goes through the proxies of the
environment, and words its errors for the person at the keyboard.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_address
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from datamate import __version__
from datamate.clients.transport import TransportRequest
from datamate.core.errors import DatamateError, DeadlineExceededError, UnavailableError

_CONNECT_SECONDS = 10.0
_SILENCE_SECONDS = 90.0
"""Event streams send a comment far more often, and a server that works on an answer has its deadline."""


class ServerTransport:
    """Sends requests to one gateway."""

    def __init__(self, base_url: str, token: str | None) -> None:
        """Make a transport; the first request opens a connection.

        Args:
            base_url: Address of the API, with the path in front of every request's path.
            token: Access token; None sends no credentials.
        """
        self._base_url = base_url
        self._headers = {"user-agent": f"datamate/{__version__}"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def send(self, request: TransportRequest) -> AsyncIterator["ServerAnswer"]:
        """Send a request; leaving the context before the body ended closes the connection.

        Raises:
            UnavailableError: The server cannot be reached or broke the connection.
            DeadlineExceededError: No headers within the deadline; for a streamed body, counted from its last chunk.
        """
        body = _WatchedBody(request)
        response = await self._open(request, body)
        try:
            yield ServerAnswer(response)
        finally:
            response.close()

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    async def _open(self, request: TransportRequest, body: "_WatchedBody") -> aiohttp.ClientResponse:
        try:
            async with asyncio.timeout(request.deadline_seconds) as deadline, body.putting_off(deadline):
                return await self._opened_session().request(
                    request.method,
                    URL(self._base_url + request.path).with_query(list(request.query)),
                    headers={**self._headers, **request.headers},
                    data=body.payload(),
                    allow_redirects=False,
                )
        except aiohttp.ConnectionTimeoutError:
            raise UnavailableError(f"{self._base_url} does not accept connections; is the address right?") from None
        except TimeoutError:
            raise DeadlineExceededError(
                f"{self._base_url} did not answer within {request.deadline_seconds:g} seconds."
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            if body.failure is not None:
                raise body.failure from None
            raise UnavailableError(
                f"Nothing answers at {self._base_url} ({error}). Is the server running, and is the address right?"
            ) from None

    def _opened_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=_SILENCE_SECONDS),
                # Its own look at the environment costs two threads a request, and lets ~/.netrc replace the token.
                proxy=proxy_for(self._base_url),
            )
            # aiohttp repeats a PUT whose pooled connection broke, though half of its stream is used up, and offers no
            # public switch.
            self._session._retry_connection = False  # noqa: SLF001
        return self._session


def proxy_for(url: str) -> str | None:
    """Return the proxy that the environment names for an address; None for this machine's own."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host == "localhost" or _is_loopback(host) or proxy_bypass(host):
        return None
    return getproxies().get(parts.scheme)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class ServerAnswer:
    """The answer of a server; its body has not been read yet."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: Mapping[str, str] = {
            name.lower(): ", ".join(response.headers.getall(name)) for name in set(response.headers)
        }

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives; may be called once.

        Raises:
            UnavailableError: The connection broke, or nothing came for too long.
        """
        try:
            async for chunk in self._response.content.iter_any():
                yield chunk
        except TimeoutError:
            raise UnavailableError("The server paused too long in the middle of its answer.") from None
        except (aiohttp.ClientError, OSError) as error:
            raise UnavailableError(f"The server broke off its answer ({error}).") from None


class _WatchedBody:
    """A request's body: remembers the error of its source, and puts the deadline off while it is being sent."""

    def __init__(self, request: TransportRequest) -> None:
        self._source = request.body
        self._seconds = request.deadline_seconds
        self._deadline: asyncio.Timeout | None = None
        self.failure: Exception | None = None
        """What the source raised; aiohttp would report a broken connection instead."""

    @asynccontextmanager
    async def putting_off(self, deadline: asyncio.Timeout) -> AsyncIterator[None]:
        """Let every chunk give the call its full time again: an upload may take hours."""
        self._deadline = deadline
        try:
            yield
        finally:
            # The server may answer before it has read everything; the rest is sent after the deadline is of no use.
            self._deadline = None

    def payload(self) -> bytes | AsyncIterator[bytes] | None:
        """Return what aiohttp sends."""
        source = self._source
        return source if source is None or isinstance(source, bytes) else self._watched(source)

    async def _watched(self, source: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        try:
            async for chunk in source:
                if self._deadline is not None:
                    self._deadline.reschedule(asyncio.get_running_loop().time() + self._seconds)
                yield chunk
        except (DatamateError, OSError) as error:
            self.failure = error
            raise
