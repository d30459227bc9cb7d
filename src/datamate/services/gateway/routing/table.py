"""The routes of the gateway: frozen, validated data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from datamate.core.errors import ConfigurationError

API_PREFIX: Final = "/api/v1"


@dataclass(frozen=True, slots=True)
class Route:
    """One root that a service answers.

    Attributes:
        prefix: `/segment` or `/segment/segment`, the same at the service and, after `/api/v1`, at the gateway.
        service: Who answers it and everything below it.
        public: Method and path, below the prefix, of what needs no sign-in: `("POST", "/login")`.
    """

    prefix: str
    service: str
    public: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Match:
    """Where a request goes.

    Attributes:
        route: The route that was found.
        upstream_path: The canonical path at the service.
        is_public: Whether it needs no sign-in.
    """

    route: Route
    upstream_path: bytes
    is_public: bool


ROUTES: Final = (
    Route("/auth", "main", frozenset({("POST", "/login")})),
    Route("/users", "main"),
    Route("/roles", "main"),
    Route("/permissions", "main"),
    Route("/api-keys", "main"),
    Route("/settings", "main"),
    Route("/audit-events", "main"),
    Route("/tasks", "main"),
    Route("/schedules", "main"),
    Route("/data-management/datasets", "data_management"),
    Route("/data-management/statistics", "data_management"),
    Route("/data-management/tags", "data_management"),
    Route("/data-management/uploads", "data_management"),
    Route("/runtime/operators", "runtime"),
    Route("/runtime/pipelines", "runtime"),
    Route("/runtime/runs", "runtime"),
)


@dataclass(frozen=True, slots=True)
class RouteTable:
    """A validated set of routes; the longest prefix wins."""

    routes: tuple[Route, ...]
    _by_segments: Mapping[tuple[bytes, ...], Route] = field(repr=False)

    @classmethod
    def of(cls, routes: Iterable[Route], *, services: Iterable[str]) -> "RouteTable":
        """Return the table of some routes.

        Args:
            routes: In any order.
            services: Those that there are upstreams for.

        Raises:
            ConfigurationError: A prefix is malformed, internal or given twice, or its service is missing.
        """
        known = frozenset(services)
        by_segments: dict[tuple[bytes, ...], Route] = {}
        for route in routes:
            segments = _segments(route)
            if segments in by_segments:
                raise ConfigurationError(f"Two routes have the prefix {route.prefix}.")
            if route.service not in known:
                raise ConfigurationError(
                    f"The route {route.prefix} names the service {route.service}, which is unknown."
                )
            by_segments[segments] = route
        return cls(tuple(by_segments.values()), by_segments)

    def find(self, method: str, path: bytes) -> Match | None:
        """Return where a canonical path goes, or None if nobody answers it."""
        if not path.startswith(_API_PREFIX_BYTES):
            return None
        upstream_path = path[len(_API_PREFIX_BYTES) - 1 :]
        segments = upstream_path.split(b"/", 3)[1:3]
        route = self._by_segments.get(tuple(segments)) or self._by_segments.get((segments[0],))
        if route is None:
            return None
        below = upstream_path[len(route.prefix) :].decode("ascii")
        return Match(route, upstream_path, (method, below) in route.public)


_API_PREFIX_BYTES: Final = API_PREFIX.encode() + b"/"


def _segments(route: Route) -> tuple[bytes, ...]:
    root, *segments = route.prefix.encode("ascii").split(b"/")
    if root or len(segments) not in (1, 2) or not all(segments):
        raise ConfigurationError(f"The prefix {route.prefix} is not /segment or /segment/segment.")
    if segments[0] == b"internal":
        raise ConfigurationError("Internal addresses are never routed.")
    return tuple(segments)
