"""What a process tells about itself: logs, the identity of requests across services, metrics."""

from datamate.platform.telemetry.context import RequestContext, current_request, request_scope
from datamate.platform.telemetry.logs import configure_logging
from datamate.platform.telemetry.metrics import REGISTRY

__all__ = ["REGISTRY", "RequestContext", "configure_logging", "current_request", "request_scope"]
