"""The identity of a request across services: a request id for people, a W3C trace context for machines."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import Final

TRACEPARENT_HEADER: Final = b"traceparent"
REQUEST_ID_HEADER: Final = b"x-request-id"

_TRACEPARENT: Final = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(?:-.*)?"
)
"""Source: W3C Trace Context, section 3.2. A version above 00 may carry more fields, which are not read."""

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Names one request in this process.

    Attributes:
        request_id: The client's, if it sent a plain one, or else the trace id.
        trace_id: 32 hexadecimal digits, the same in every service that the request reaches.
        span_id: 16 hexadecimal digits, this process's part of the trace.
        flags: Two hexadecimal digits; 01 means that the caller samples this trace.
    """

    request_id: str
    trace_id: str
    span_id: str
    flags: str = "01"

    @property
    def traceparent(self) -> str:
        """Return the header that continues this trace in another service."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


_current: ContextVar[RequestContext | None] = ContextVar("datamate_request", default=None)


def current_request() -> RequestContext | None:
    """Return the request that is being worked on, or None outside of one."""
    return _current.get()


def read_context(*, traceparent: bytes | None = None, request_id: bytes | None = None) -> RequestContext:
    """Return the context of a request that arrives; a header that is not well-formed counts as absent."""
    random = os.urandom(24).hex()
    trace_id, span_id, flags = random[:32], random[32:], "01"
    # A version 00 has exactly 55 characters; only later ones may be longer.
    if traceparent is not None and (len(traceparent) == 55 or not traceparent.startswith(b"00")):
        match = _TRACEPARENT.fullmatch(traceparent)
        if match is not None:
            trace_id, flags = match[1].decode(), match[2].decode()
    if request_id is not None and _REQUEST_ID.fullmatch(request_id):
        return RequestContext(request_id.decode(), trace_id, span_id, flags)
    return RequestContext(trace_id, trace_id, span_id, flags)


def trace_fields() -> list[tuple[bytes, bytes]]:
    """Return the header fields that continue the current request in another service, none outside of a request."""
    request = _current.get()
    if request is None:
        return []
    return [(TRACEPARENT_HEADER, request.traceparent.encode()), (REQUEST_ID_HEADER, request.request_id.encode())]


def enter_request(context: RequestContext) -> Token[RequestContext | None]:
    """Make a context the current one until `leave_request`; logs and problems name it."""
    return _current.set(context)


def leave_request(token: Token[RequestContext | None]) -> None:
    """Make current again what was before `enter_request`."""
    _current.reset(token)


@contextmanager
def request_scope(context: RequestContext) -> Iterator[RequestContext]:
    """Make a context the current one for a block."""
    token = enter_request(context)
    try:
        yield context
    finally:
        leave_request(token)
