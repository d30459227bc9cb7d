"""One log line per request, written past structlog: its processors would cost more than the rest of the gateway."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TextIO

import orjson
import structlog

from datamate.platform.telemetry.context import RequestContext

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AccessLine:
    """What is said of a request: never its query, headers or body, where secrets may stand.

    Attributes:
        method: As sent.
        path: Decoded, without the query.
        route: The template that answered.
        status: What was answered; 499 if the client left before.
        seconds: From the first byte of the request to the last of the answer.
        user_id: Who asked, None if nobody was asked for.
    """

    method: str
    path: str
    route: str
    status: int
    seconds: float
    user_id: str | None


Writer = Callable[[AccessLine, RequestContext], None]


def _write_through_structlog(line: AccessLine, context: RequestContext) -> None:
    _log.info("request", **_fields(line, context))


_writer: Writer = _write_through_structlog


def write_access_line(line: AccessLine, context: RequestContext) -> None:
    """Log a request that has been answered."""
    _writer(line, context)


def use_json_access_log(stream: TextIO, *, service: str) -> None:
    """Write access lines as JSON straight to a stream, in the format that `configure_logging` gives all others."""

    def write(line: AccessLine, context: RequestContext) -> None:
        fields = {
            "event": "request",
            "service": service,
            "level": "info",
            "timestamp": datetime.now(UTC),
            **_fields(line, context),
        }
        stream.write(orjson.dumps(fields, option=_FORMAT).decode())
        stream.flush()

    _use(write)


def use_structlog_access_log() -> None:
    """Write access lines like all others: for people, or when their level is not written at all."""
    _use(_write_through_structlog)


_FORMAT: Final = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE


def _use(writer: Writer) -> None:
    global _writer  # noqa: PLW0603 - where a process logs to is a fact of the process, as in structlog itself
    _writer = writer


def _fields(line: AccessLine, context: RequestContext) -> dict[str, object]:
    return {
        "method": line.method,
        "path": line.path,
        "route": line.route,
        "status": line.status,
        "milliseconds": round(line.seconds * 1000, 2),
        "user_id": line.user_id,
        "trace_id": context.trace_id,
        "request_id": context.request_id,
    }
