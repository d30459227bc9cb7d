"""The port through which a typed client reaches a service, wherever that runs."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TransportRequest:
    """One HTTP request.

    Attributes:
        method: Upper case.
        path: Absolute, percent-encoded, without the query.
        query: Names and values, encoded by the transport.
        headers: Lower-case names.
        body: The whole body, or its chunks for a body of any size, or None.
        deadline_seconds: Longest time until the headers of the answer; then the transport raises
            `DeadlineExceededError` and cancels the call.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | AsyncIterator[bytes] | None = None
    deadline_seconds: float = 30.0


class TransportResponse(Protocol):
    """One HTTP answer whose body has not been read yet."""

    @property
    def status(self) -> int:
        """Return the HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the headers by lower-case name; repeated ones are joined by ", "."""

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives; may be called once."""


class Transport(Protocol):
    """Sends requests to one service."""

    def send(self, request: TransportRequest) -> AbstractAsyncContextManager[TransportResponse]:
        """Send a request; leaving the context before the body ended cancels the call at the service.

        Raises:
            UnavailableError: The service cannot be reached.
            DeadlineExceededError: No answer within the deadline.
        """

    async def close(self) -> None:
        """Release connections; the transport is of no use afterwards."""
