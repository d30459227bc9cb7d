import pytest

from datamate.core.errors import ConfigurationError
from datamate.services.gateway.routing.table import ROUTES, Route, RouteTable

SERVICES = {"main", "data_management", "runtime"}
TABLE = RouteTable.of(ROUTES, services=SERVICES)


@pytest.mark.parametrize(
    ("path", "service", "upstream_path"),
    [
        (b"/api/v1/users", "main", b"/users"),
        (b"/api/v1/users/me", "main", b"/users/me"),
        (b"/api/v1/data-management/datasets/1/files", "data_management", b"/data-management/datasets/1/files"),
        (b"/api/v1/runtime/runs", "runtime", b"/runtime/runs"),
    ],
)
def test_service_is_found_when_a_prefix_matches_whole_segments(path, service, upstream_path):
    match = TABLE.find("GET", path)
    assert match is not None
    assert (match.route.service, match.upstream_path, match.is_public) == (service, upstream_path, False)


@pytest.mark.parametrize(
    "path",
    [
        b"/",
        b"/users",
        b"/api/v1",
        b"/api/v1/",
        b"/api/v1/usersx",
        b"/api/v1/data-management",
        b"/api/v2/users",
        b"/api",
    ],
)
def test_nothing_is_found_when_no_prefix_matches(path):
    assert TABLE.find("GET", path) is None


def test_only_signing_in_is_public_when_the_table_is_the_real_one():
    public = [(route.prefix, *item) for route in TABLE.routes for item in route.public]
    assert public == [("/auth", "POST", "/login")]


def test_longest_prefix_wins_when_two_match():
    table = RouteTable.of([Route("/a", "main"), Route("/a/b", "runtime")], services=SERVICES)
    assert [table.find("GET", path).route.service for path in (b"/api/v1/a/b/c", b"/api/v1/a/c")] == ["runtime", "main"]


@pytest.mark.parametrize(
    "routes",
    [
        [Route("/a", "main"), Route("/a", "runtime")],
        [Route("/a", "nobody")],
        [Route("a", "main")],
        [Route("/", "main")],
        [Route("/a/", "main")],
        [Route("/a/b/c", "main")],
        [Route("/internal/principals", "main")],
    ],
)
def test_table_is_refused_when_a_route_is_wrong(routes):
    with pytest.raises(ConfigurationError):
        RouteTable.of(routes, services=SERVICES)
