"""One call to a service as both transports see it: what is asked, who asks, what comes back."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from urllib.parse import quote_plus

from datamate.platform.security.principal import Principal
from datamate.platform.telemetry.context import trace_fields

DEADLINE_HEADER = "x-datamate-deadline-ms"


class OutgoingRequest(Protocol):
    """What `datamate.clients.transport.TransportRequest` is, seen from below the clients."""

    @property
    def method(self) -> str:
        """Upper case."""

    @property
    def path(self) -> str:
        """Absolute, percent-encoded, without the query."""

    @property
    def query(self) -> tuple[tuple[str, str], ...]:
        """Names and values, not encoded."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Values by lower-case name."""

    @property
    def body(self) -> bytes | AsyncIterator[bytes] | None:
        """The whole body, its chunks, or None."""

    @property
    def deadline_seconds(self) -> float:
        """Longest time until the headers of the answer."""


class IncomingAnswer(Protocol):
    """What `datamate.clients.transport.TransportResponse` is, seen from below the clients."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Values by lower-case name; repeated ones are joined by ", "."""

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives; may be called once."""


class CallTransport(Protocol):
    """A `datamate.clients.transport.Transport`, seen from below the clients."""

    def send(self, request: OutgoingRequest) -> AbstractAsyncContextManager[IncomingAnswer]:
        """Send a request; leaving the context before the body ended cancels the call at the service.

        Raises:
            UnavailableError: The service cannot be reached.
            DeadlineExceededError: No answer within the deadline.
        """

    async def close(self) -> None:
        """Release connections; the transport is of no use afterwards."""


class ServiceTransport(CallTransport, Protocol):
    """A transport to one service that speaks for its caller, or for any principal."""

    def as_principal(self, principal: Principal) -> CallTransport:
        """Return a transport for the calls of one principal; it shares the connections of this one."""


def encode_query(query: tuple[tuple[str, str], ...]) -> str:
    """Return names and values as a query string, "" if there are none."""
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in query)


def context_headers() -> dict[str, str]:
    """Return the headers that continue the current request in another service, none outside of a request."""
    return {name.decode(): value.decode() for name, value in trace_fields()}


def join_headers(fields: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return header fields as a mapping by lower-case name; repeated ones are joined by ", "."""
    joined: dict[str, str] = {}
    for raw_name, raw_value in fields:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined
