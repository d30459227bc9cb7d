"""Reading a service's own public addresses: its document, its readiness."""

from typing import Final

from datamate.clients.transport import Transport, TransportRequest

CALLER: Final = "gateway"
"""Who the gateway is to the services."""

_SECONDS: Final = 5.0


async def fetch(transport: Transport, path: str) -> tuple[int, bytes]:
    """Return status and body of a small answer."""
    async with transport.send(TransportRequest("GET", path, deadline_seconds=_SECONDS)) as answer:
        return answer.status, b"".join([chunk async for chunk in answer.chunks()])
