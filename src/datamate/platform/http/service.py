"""A service as an ASGI application: what all of them share, made once."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import orjson
from fastapi import APIRouter, FastAPI, Response
from redis.asyncio import Redis
from starlette.types import Scope

from datamate import __version__
from datamate.config.root import Settings
from datamate.platform.cache import Cache
from datamate.platform.db import Database
from datamate.platform.http.boundary import RequestBoundary
from datamate.platform.http.error_handlers import add_error_handlers
from datamate.platform.http.health import Check, Liveness, Readiness, database_check, readiness, redis_check
from datamate.platform.http.openapi import build_openapi
from datamate.platform.security import InternalTokens, check_routes, public
from datamate.platform.telemetry import metrics

ServiceLifespan = Callable[[], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class ServiceResources:
    """What every service works with; one that needs more derives from this.

    Attributes:
        settings: The configuration of the process.
        database: PostgreSQL.
        redis: Redis with the short timeouts of the request path.
        cache: Values in that Redis.
        internal_tokens: Verifies who calls.
    """

    settings: Settings
    database: Database
    redis: Redis
    cache: Cache
    internal_tokens: InternalTokens


def create_service_app(  # noqa: PLR0913 - options of one call, all but the first three by keyword
    name: str,
    resources: ServiceResources,
    routers: Sequence[APIRouter],
    *,
    title: str,
    lifespan: ServiceLifespan | None = None,
    needed: Mapping[str, Check] | None = None,
) -> FastAPI:
    """Return the application of a service.

    Args:
        name: As in the design: the audience of its tokens, the label of its metrics.
        resources: Found by dependencies on `request.app.state.resources`; the composition root opens and closes them.
        routers: Routes at the design's roots, each with a declared permission.
        title: Heads the OpenAPI document.
        lifespan: Runs around the time that the service serves.
        needed: Parts without which the service is not ready, besides PostgreSQL, by the name shown.

    Raises:
        ConfigurationError: A route declares no permission.
    """
    app = FastAPI(
        title=title,
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan(lifespan),
    )
    app.state.resources = resources
    for router in routers:
        app.include_router(router)
    all_needed = {"database": database_check(resources.database), **(needed or {})}
    app.include_router(_system_router(app, all_needed, {"redis": redis_check(resources.redis)}))
    add_error_handlers(app)
    app.add_middleware(
        RequestBoundary,
        service=name,
        verify=lambda token: resources.internal_tokens.verify(token, service=name),
        route_of=route_template,
    )
    check_routes(app)
    return app


def route_template(scope: Scope) -> str | None:
    """Return the template of the route that answered, with the prefixes of its routers; None if none did."""
    included = scope.get("fastapi", {}).get("effective_route_context")
    template: str | None = getattr(included or scope.get("route"), "path_format", None)
    return template


def _lifespan(inner: ServiceLifespan | None) -> Callable[[FastAPI], AbstractAsyncContextManager[None]] | None:
    if inner is None:
        return None

    @asynccontextmanager
    async def run(_app: FastAPI) -> AsyncIterator[None]:
        async with inner():
            yield

    return run


def _system_router(app: FastAPI, needed: Mapping[str, Check], wanted: Mapping[str, Check]) -> APIRouter:
    """Return the routes that every service has and the gateway never routes."""
    router = APIRouter(dependencies=[public], include_in_schema=False)
    document: list[bytes] = []

    @router.get("/health/live")
    async def live() -> Liveness:
        return Liveness()

    @router.get("/health/ready")
    async def ready() -> Readiness:
        return await readiness(needed, wanted)

    @router.get("/metrics")
    async def show_metrics() -> Response:
        return Response(metrics.render_metrics(), media_type=metrics.CONTENT_TYPE)

    @router.get("/openapi.json")
    async def openapi() -> Response:
        if not document:
            document.append(orjson.dumps(build_openapi(app)))
        return Response(document[0], media_type="application/json")

    return router
