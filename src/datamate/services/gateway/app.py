"""The gateway as a plain ASGI application."""

import asyncio
import re
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Final

import structlog
from starlette.types import Receive, Scope, Send

from datamate.core.errors import (
    DatamateError,
    InvalidInputError,
    MethodNotAllowedError,
    NotFoundError,
    PermissionDeniedError,
    UnavailableError,
)
from datamate.platform.http.problems import internal_problem, problem_of
from datamate.platform.security import Principal
from datamate.platform.telemetry.access_log import AccessLine, write_access_line
from datamate.platform.telemetry.context import (
    REQUEST_ID_HEADER,
    TRACEPARENT_HEADER,
    enter_request,
    leave_request,
    read_context,
    trace_fields,
)
from datamate.platform.telemetry.metrics import RequestMetrics
from datamate.services.gateway.deps import GatewayResources
from datamate.services.gateway.documents.merge import MergedDocument
from datamate.services.gateway.edge.head import Head, read_head
from datamate.services.gateway.edge.identity import Identity
from datamate.services.gateway.edge.proxied_request import FIRST_BYTE_SECONDS, IDLE_SECONDS, ProxiedRequest
from datamate.services.gateway.own_answers import OwnRoute, own_routes
from datamate.services.gateway.routing.path import canonical_path
from datamate.services.gateway.routing.table import API_PREFIX, ROUTES, RouteTable
from datamate.services.gateway.upstream.port import ForwardedCall, Upstream

NAME: Final = "gateway"

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUERY: Final = re.compile(rb"[\x21-\x7e]*")

_log = structlog.get_logger(__name__)


def create_app(resources: GatewayResources, upstreams: Mapping[str, Upstream]) -> "Gateway":
    """Return the gateway.

    Args:
        resources: What it works with.
        upstreams: The services by name; their lifespans run inside the gateway's.

    Raises:
        ConfigurationError: The routes name a service that is not there.
    """
    return Gateway(resources, upstreams, RouteTable.of(ROUTES, services=upstreams))


class Gateway:
    """Refuses, routes, verifies, forwards; in this order, and without FastAPI because every request pays for it."""

    def __init__(self, resources: GatewayResources, upstreams: Mapping[str, Upstream], routes: RouteTable) -> None:
        self._identity = Identity(resources.access_tokens, resources.principals)
        self._upstreams = upstreams
        self._routes = routes
        self._own_routes = own_routes(upstreams, MergedDocument(upstreams, routes))
        self._metrics = RequestMetrics(NAME)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, ProxiedRequest(scope, receive, send))

    async def _live(self, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            await receive()
            for upstream in self._upstreams.values():
                await stack.enter_async_context(upstream.running())
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, scope: Scope, request: ProxiedRequest) -> None:
        started = time.perf_counter()
        self._metrics.start()
        head = read_head(scope["headers"])
        context = read_context(
            traceparent=head.known.get(TRACEPARENT_HEADER), request_id=head.known.get(REQUEST_ID_HEADER)
        )
        request.request_id = context.request_id.encode()
        token = enter_request(context)
        try:
            await self._answer(scope, request, head)
        finally:
            request.stop_watch()
            seconds, status = time.perf_counter() - started, request.final_status
            self._metrics.finish(request.method, request.route, status, seconds)
            line = AccessLine(request.method, scope["path"], request.route, status, seconds, request.user_id)
            write_access_line(line, context)
            leave_request(token)

    async def _answer(self, scope: Scope, request: ProxiedRequest, head: Head) -> None:
        error: DatamateError | None = None
        try:
            await self._within_time(scope, request, head)
            if not request.status and not request.client_left:
                error = UnavailableError("The service gave no answer.")
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or not (request.client_left or request.cut_by_stop) or task.uncancel() > 0:
                raise
        except DatamateError as refusal:
            error = refusal
        except Exception:  # noqa: BLE001 - the boundary of the process: the log learns everything, the client where to look
            if not request.client_left:
                _log.exception("request_failed", method=request.method, path=scope["path"])
                if not request.status:
                    await internal_problem().send(request.send)
        if error is not None and not request.client_left:
            await _refuse(request, error)

    async def _within_time(self, scope: Scope, request: ProxiedRequest, head: Head) -> None:
        try:
            async with asyncio.timeout(IDLE_SECONDS if head.has_body else FIRST_BYTE_SECONDS) as deadline:
                request.deadline = deadline
                request.watch_client()
                await self._dispatch(scope, request, head)
        except TimeoutError:
            if deadline.expired():
                raise request.timed_out() from None
            raise
        finally:
            request.deadline = None

    async def _dispatch(self, scope: Scope, request: ProxiedRequest, head: Head) -> None:
        if head.fault is not None:
            raise head.fault
        if request.method not in _METHODS:
            raise MethodNotAllowedError
        if not _QUERY.fullmatch(scope["query_string"]):
            raise InvalidInputError("The query holds a character that must be escaped.")
        path = canonical_path(scope["raw_path"])
        own = self._own_routes.get(path)
        if own is not None:
            await self._answer_own(own, path, request, head)
            return
        match = self._routes.find(request.method, path)
        if match is None:
            raise NotFoundError("There is nothing at this address.")
        request.route = API_PREFIX + match.route.prefix
        principal = None if match.is_public else await self._identify(request, head)
        fields = [*head.fields, *trace_fields()]
        call = ForwardedCall(scope, match.upstream_path, fields, head.has_body, principal)
        await self._upstreams[match.route.service].forward(call, request.receive, request.send)

    async def _answer_own(self, own: OwnRoute, path: bytes, request: ProxiedRequest, head: Head) -> None:
        request.route = path.decode("ascii")
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowedError
        if own.permission is not None and not (await self._identify(request, head)).may(own.permission):
            raise PermissionDeniedError(f"Your role does not permit {own.permission.value}.")
        answer = await own.answer()
        request.content_policy = answer.content_policy
        await answer.send(request.send)

    async def _identify(self, request: ProxiedRequest, head: Head) -> Principal:
        principal = await self._identity.of(head.known.get(b"authorization"))
        request.user_id = principal.user_id
        return principal


async def _refuse(request: ProxiedRequest, error: DatamateError) -> None:
    """Tell the client about an error, unless half of an answer is out: then it is cut, and the log says why."""
    if request.status:
        _log.warning("answer_broken_off", reason=error.detail, code=error.code)
    else:
        await problem_of(error).send(request.send)
