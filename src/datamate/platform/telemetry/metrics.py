"""Metrics of this process: rate, errors and duration of HTTP requests, by route template."""

from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
UNMATCHED_ROUTE: Final = "unmatched"
"""The route label of requests that no route answers; a raw path would make a series per attacker."""

REGISTRY: Final = CollectorRegistry()
"""Every metric of this process registers here."""

ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)

_KNOWN_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_requests = Counter(
    "datamate_http_requests",
    "HTTP requests answered.",
    ["service", "method", "route", "status"],
    registry=REGISTRY,
)
_seconds = Histogram(
    "datamate_http_request_seconds",
    "Time until the last byte of an answer was handed to the socket.",
    ["service", "method", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    registry=REGISTRY,
)
_open = Gauge("datamate_http_requests_open", "HTTP requests being worked on.", ["service"], registry=REGISTRY)


class RequestMetrics:
    """Counts the HTTP requests of one service."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._open = _open.labels(service)
        self._counters: dict[tuple[str, str, int], Counter] = {}
        self._histograms: dict[tuple[str, str], Histogram] = {}

    def start(self) -> None:
        """Note that a request came."""
        self._open.inc()

    def finish(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note that a request ended.

        Args:
            method: Upper case; one that HTTP does not name is counted as "other".
            route: The route's template, never the path itself.
            status: What was answered; 499 if the client left before.
            seconds: Since it came.
        """
        self._open.dec()
        method = method if method in _KNOWN_METHODS else "other"
        counter = self._counters.get((method, route, status))
        if counter is None:
            counter = _requests.labels(self._service, method, route, str(status))
            self._counters[method, route, status] = counter
        histogram = self._histograms.get((method, route))
        if histogram is None:
            histogram = _seconds.labels(self._service, method, route)
            self._histograms[method, route] = histogram
        counter.inc()
        histogram.observe(seconds)


def render_metrics() -> bytes:
    """Return every metric of this process in the Prometheus text format."""
    return generate_latest(REGISTRY)
