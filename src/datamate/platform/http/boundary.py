"""The outermost layer of a service: trace, principal, deadline, limits, metrics, access log, and the last catch."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from datamate.core.errors import DatamateError, DeadlineExceededError, UnauthenticatedError
from datamate.platform.http.exchange import DEADLINE_HEADER
from datamate.platform.http.in_process import IN_PROCESS_SCOPE_KEY
from datamate.platform.http.problems import internal_problem, problem_of
from datamate.platform.http.served_request import SERVED_REQUEST_SCOPE_KEY, ServedRequest
from datamate.platform.http.text_guard import refuse_nul
from datamate.platform.security.principal import PRINCIPAL_SCOPE_KEY, Principal
from datamate.platform.telemetry.access_log import AccessLine, write_access_line
from datamate.platform.telemetry.context import (
    REQUEST_ID_HEADER,
    TRACEPARENT_HEADER,
    RequestContext,
    current_request,
    enter_request,
    leave_request,
    read_context,
)
from datamate.platform.telemetry.metrics import UNMATCHED_ROUTE, RequestMetrics

_DEADLINE: Final = DEADLINE_HEADER.encode()
_MAX_DEADLINE_SECONDS: Final = 3_600.0

VerifyToken = Callable[[str], Principal]
RouteOf = Callable[[Scope], str | None]

_log = structlog.get_logger(__name__)


class RequestBoundary:
    """Pure ASGI middleware around a whole service."""

    def __init__(self, app: ASGIApp, *, service: str, verify: VerifyToken, route_of: RouteOf) -> None:
        """Wrap an application.

        Args:
            app: What answers.
            service: Its name in metrics and logs.
            verify: Turns an internal token into a principal or raises UnauthenticatedError.
            route_of: Returns the template of the route that answered, None if there was none.
        """
        self._app = app
        self._verify = verify
        self._route_of = route_of
        self._metrics = RequestMetrics(service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = ServedRequest(scope, receive, send)
        scope[SERVED_REQUEST_SCOPE_KEY] = request
        context = _context(scope, request)
        started = time.perf_counter()
        self._metrics.start()
        token = enter_request(context)
        try:
            await self._serve(scope, request)
        finally:
            request.stop_watch()
            self._record(scope, request, context, time.perf_counter() - started)
            leave_request(token)

    async def _serve(self, scope: Scope, request: ServedRequest) -> None:
        try:
            await self._answer(scope, request)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not request.client_left or task is None or task.uncancel() > 0:
                raise
        except DatamateError as error:
            if not request.status:
                await problem_of(error).send(request.send)
            else:
                _log.exception("answer_broken_off", path=scope["path"])
        except Exception:  # noqa: BLE001 - the boundary of the process: the log learns everything, the client where to look
            if request.client_left:
                return
            _log.exception("request_failed", method=request.method, path=scope["path"])
            if not request.status:
                await internal_problem().send(request.send)

    async def _answer(self, scope: Scope, request: ServedRequest) -> None:
        refuse_nul(scope)
        if IN_PROCESS_SCOPE_KEY not in scope:
            self._identify(scope, request)
            request.watch_client()
        seconds = _deadline_seconds(request.headers.get(_DEADLINE))
        if seconds is None:
            await self._app(scope, request.receive, request.send)
        else:
            await self._answer_within(seconds, scope, request)

    async def _answer_within(self, seconds: float, scope: Scope, request: ServedRequest) -> None:
        try:
            async with asyncio.timeout(seconds) as deadline:
                request.deadline = deadline
                await self._app(scope, request.receive, request.send)
        except TimeoutError:
            if deadline.expired():
                raise DeadlineExceededError from None
            raise
        finally:
            request.deadline = None

    def _identify(self, scope: Scope, request: ServedRequest) -> None:
        """Put the principal where guards look; without a valid token nobody is there, and guards refuse."""
        scheme, _, token = request.headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer":
            return
        try:
            scope[PRINCIPAL_SCOPE_KEY] = self._verify(token.decode("latin-1"))
        except UnauthenticatedError as error:
            _log.info("internal_token_refused", reason=error.detail, code=error.code)

    def _record(self, scope: Scope, request: ServedRequest, context: RequestContext, seconds: float) -> None:
        route = self._route_of(scope) or UNMATCHED_ROUTE
        self._metrics.finish(request.method, route, request.final_status, seconds)
        if IN_PROCESS_SCOPE_KEY not in scope:
            principal = scope.get(PRINCIPAL_SCOPE_KEY)
            user_id = principal.user_id if isinstance(principal, Principal) else None
            line = AccessLine(request.method, scope["path"], route, request.final_status, seconds, user_id)
            write_access_line(line, context)


def _context(scope: Scope, request: ServedRequest) -> RequestContext:
    """Return the caller's own context if it is in this process, and what its headers say if not."""
    context = current_request() if IN_PROCESS_SCOPE_KEY in scope else None
    return context or read_context(
        traceparent=request.headers.get(TRACEPARENT_HEADER), request_id=request.headers.get(REQUEST_ID_HEADER)
    )


def _deadline_seconds(value: bytes | None) -> float | None:
    """Return the deadline that a caller set; one that is not a number of milliseconds counts as absent."""
    if value is None or not value.isdigit() or len(value) > 10:
        return None
    return min(int(value) / 1000, _MAX_DEADLINE_SECONDS)
