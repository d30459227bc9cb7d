import pytest
from fastapi import APIRouter, FastAPI

from datamate.contracts.main.permissions import Permission
from datamate.core.errors import ConfigurationError
from datamate.platform.security import check_routes, internal_only, public, require_permission


async def endpoint() -> None:
    return


def app_of(*routers: APIRouter) -> FastAPI:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    for router in routers:
        app.include_router(router, prefix="/outer")
    return app


@pytest.mark.parametrize("guard", [public, require_permission(Permission.USER_READ), internal_only("gateway")])
def test_route_passes_when_it_or_its_router_declares_a_guard(guard):
    own, inherited = APIRouter(), APIRouter(dependencies=[guard])
    own.add_api_route("/a", endpoint, dependencies=[guard])
    inherited.add_api_route("/b", endpoint)
    outer = APIRouter()
    outer.include_router(inherited)
    check_routes(app_of(own, outer))


def test_start_stops_and_names_the_route_when_it_declares_nothing():
    router = APIRouter()
    router.add_api_route("/forgotten", endpoint, methods=["POST"])
    with pytest.raises(ConfigurationError, match=r"POST /outer/forgotten: declares nothing"):
        check_routes(app_of(router))


def test_start_stops_when_a_route_is_public_and_guarded():
    router = APIRouter(dependencies=[require_permission(Permission.USER_READ)])
    router.add_api_route("/both", endpoint, dependencies=[public])
    with pytest.raises(ConfigurationError, match="public and guarded"):
        check_routes(app_of(router))


def test_start_stops_when_a_route_cannot_declare_anything():
    app = app_of()
    app.mount("/files", FastAPI())
    with pytest.raises(ConfigurationError, match="/files"):
        check_routes(app)


def test_start_stops_when_the_frameworks_own_documentation_is_on():
    with pytest.raises(ConfigurationError, match="openapi"):
        check_routes(FastAPI())
