"""A pool of HTTP connections that repeats nothing, follows nothing, remembers no cookie and decompresses nothing."""

from typing import Final

import aiohttp

KEEP_IDLE_SECONDS: Final = 15.0
"""Well below the server's own `KEEP_ALIVE_SECONDS`, so that no request meets a connection being closed."""


class ConnectionPool:
    """Opens its aiohttp session when first used, because that needs a running event loop."""

    def __init__(self, connect_seconds: float) -> None:
        self._connect_seconds = connect_seconds
        self._session: aiohttp.ClientSession | None = None

    def session(self) -> aiohttp.ClientSession:
        """Return the session."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_IDLE_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_seconds),
            )
            # aiohttp repeats an idempotent request whose pooled connection broke, a half-sent PUT of a stream included,
            # and offers no public switch.
            self._session._retry_connection = False  # noqa: SLF001
        return self._session

    def timeouts(self, *, read_seconds: float) -> aiohttp.ClientTimeout:
        """Return the timeouts of one request; the longest pause between two reads is `read_seconds`."""
        return aiohttp.ClientTimeout(total=None, sock_connect=self._connect_seconds, sock_read=read_seconds)

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
