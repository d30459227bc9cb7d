"""Metrics of this process: rate, errors and duration of HTTP requests, by route template."""

from typing import Final

from prometheus_client import (
    CollectorRegistry,
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

_seconds = Histogram(
    "datamate_http_request_seconds",
    "Time until the last byte of an answer was handed over; its count is the number of requests.",
    ["service", "method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    registry=REGISTRY,
)
_open = Gauge("datamate_http_requests_open", "HTTP requests being worked on.", ["service"], registry=REGISTRY)


class RequestMetrics:
    """Counts the HTTP requests of one service: rate and errors by the histogram's count, duration by its buckets."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._under_way = 0
        self._histograms: dict[tuple[str, str, int], Histogram] = {}
        # Read when somebody asks, so that a request pays for an addition and not for the gauge's lock.
        _open.labels(service).set_function(lambda: self._under_way)

    def start(self) -> None:
        """Note that a request came."""
        self._under_way += 1

    def finish(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note that a request ended.

        Args:
            method: Upper case; one that HTTP does not name is counted as "other".
            route: The route's template, never the path itself.
            status: What was answered; 499 if the client left before.
            seconds: Since it came.
        """
        self._under_way -= 1
        histogram = self._histograms.get((method, route, status))
        if histogram is None:
            label = method if method in _KNOWN_METHODS else "other"
            histogram = _seconds.labels(self._service, label, route, str(status))
            if label == method:
                self._histograms[method, route, status] = histogram
        histogram.observe(seconds)


def render_metrics() -> bytes:
    """Return every metric of this process in the Prometheus text format."""
    return generate_latest(REGISTRY)
