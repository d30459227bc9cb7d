"""Asks a server whether it is ready, without an HTTP library: those cost more memory than the whole supervisor."""

import asyncio
import contextlib

_TIMEOUT_SECONDS = 5.0
_ANY_ADDRESS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound to


def local_address(host: str) -> str:
    """Return the address at which this machine reaches a server that listens on `host`."""
    return _ANY_ADDRESS.get(host, host)


async def answers_ok(host: str, port: int, path: str) -> bool:
    """Tell whether GET `path` is answered with status 200."""
    with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            return await _status(local_address(host), port, path) == b"200"
    return False


async def _status(host: str, port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        line = await reader.readuntil(b"\r\n")
        return [*line.split(), b"", b""][1]
    finally:
        writer.close()
