"""The head of a request: what is refused, what is taken out, what goes on."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from datamate.core.errors import DatamateError, InvalidInputError, TooLargeError

MAX_HEAD_BYTES: Final = 32 * 1024
MAX_FIELDS: Final = 100

HeaderField = tuple[bytes, bytes]

_HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"expect",
        b"http2-settings",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Source: RFC 9110 section 7.6.1; an expectation is met by the server itself."""

_REPLACED: Final = frozenset({b"authorization", b"host", b"traceparent", b"tracestate", b"x-request-id"})
"""What the gateway says itself to the service."""

_IDENTITY: Final = frozenset({b"user", b"forwarded", b"via", b"x-real-ip", b"x-client-ip", b"true-client-ip"})
_IDENTITY_PREFIXES: Final = (b"x-user", b"x-datamate-", b"x-forwarded", b"x-remote-", b"x-auth", b"x-internal-")
"""Names by which some service, here or elsewhere, might believe who asks. No proxy is trusted, so all of them go."""

_TAKEN_OUT: Final = _HOP_BY_HOP | _REPLACED | _IDENTITY
_ONCE: Final = frozenset({b"authorization", b"content-length", b"content-type", b"host", b"transfer-encoding"})
_PLAIN_CONNECTION: Final = frozenset({b"close", b"keep-alive", b"upgrade", b""})
_STRIPPED_FROM_ANSWERS: Final = _HOP_BY_HOP | {b"server", b"date"}


@dataclass(slots=True)
class Head:
    """What a request's header fields say.

    Attributes:
        fields: What goes on to the service.
        known: The fields that may come once, or that only the gateway reads, by name.
        fault: Why the request is refused, or None.
    """

    fields: list[HeaderField] = field(default_factory=list)
    known: dict[bytes, bytes] = field(default_factory=dict)
    fault: DatamateError | None = None

    @property
    def has_body(self) -> bool:
        """Return whether a body follows."""
        return b"transfer-encoding" in self.known or self.known.get(b"content-length", b"0") != b"0"


def read_head(fields: Iterable[HeaderField]) -> Head:
    """Return what a request's header fields say; names are in lower case already."""
    head = Head()
    count = size = 0
    for name, value in fields:
        count += 1
        size += len(name) + len(value) + 4
        if b"_" in name:
            head.fault = InvalidInputError("A header name holds an underscore; some readers take it for a hyphen.")
        if name in _ONCE and name in head.known:
            head.fault = InvalidInputError(f"The header {name.decode('latin-1')} came more than once.")
        if name in _TAKEN_OUT:
            head.known[name] = head.known[name] + b"," + value if name in head.known else value
        elif not name.startswith(_IDENTITY_PREFIXES):
            head.fields.append((name, value))
            if name in _ONCE:
                head.known[name] = value
    if size > MAX_HEAD_BYTES or count > MAX_FIELDS:
        head.fault = TooLargeError(f"The head is larger than {MAX_HEAD_BYTES} bytes or {MAX_FIELDS} fields.")
    _check_framing(head)
    _take_out_named(head)
    return head


def answer_fields(fields: Iterable[HeaderField]) -> list[HeaderField]:
    """Return the header fields of a service's answer that go on to the client."""
    kept = [(name.lower(), value) for name, value in fields]
    named = {token for name, value in kept if name == b"connection" for token in _tokens(value)}
    return [(name, value) for name, value in kept if name not in _STRIPPED_FROM_ANSWERS and name not in named]


def _check_framing(head: Head) -> None:
    known = head.known
    if not known.get(b"host", b"").strip():
        head.fault = head.fault or InvalidInputError("The request must name exactly one host.")
    length, coding = known.get(b"content-length"), known.get(b"transfer-encoding")
    if length is not None and (coding is not None or not length.isdigit()):
        head.fault = head.fault or InvalidInputError("The length of the body is not clear.")
    if coding is not None and coding.strip().lower() != b"chunked":
        head.fault = head.fault or InvalidInputError("The only transfer coding understood is chunked.")


def _take_out_named(head: Head) -> None:
    """Take out the fields that Connection names, which are meant for this hop alone."""
    named = _tokens(head.known.get(b"connection", b"")) - _PLAIN_CONNECTION
    if named:
        head.fields = [item for item in head.fields if item[0] not in named]


def _tokens(value: bytes) -> set[bytes]:
    return {token.strip().lower() for token in value.split(b",")}
