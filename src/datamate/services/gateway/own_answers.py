"""What the gateway answers itself: health, metrics, the merged document."""

import base64
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import orjson
from pydantic import BaseModel
from starlette.types import Send

from datamate.contracts.main.permissions import Permission
from datamate.core.errors import UnavailableError
from datamate.platform.http.health import Check, Liveness, readiness
from datamate.platform.telemetry import metrics
from datamate.services.gateway.documents.merge import MergedDocument
from datamate.services.gateway.documents.page import STYLE_HASH_SOURCE, render_page
from datamate.services.gateway.edge.proxied_request import NOTHING_LOADS
from datamate.services.gateway.upstream.port import Upstream

IDENTITY_SERVICE: Final = "main"
"""Without it nobody can be let in, so the gateway is not ready."""

_JSON: Final = b"application/json"
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(STYLE_HASH_SOURCE.encode()).digest())


@dataclass(frozen=True, slots=True)
class OwnAnswer:
    """One answer.

    Attributes:
        body: All of it.
        media_type: Of the body.
        content_policy: Its Content-Security-Policy; nothing may be loaded unless it says so.
    """

    body: bytes
    media_type: bytes
    content_policy: bytes = NOTHING_LOADS

    async def send(self, send: Send) -> None:
        """Send the answer."""
        length = str(len(self.body)).encode()
        fields = [(b"content-type", self.media_type), (b"content-length", length)]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": self.body})


@dataclass(frozen=True, slots=True)
class OwnRoute:
    """One address of the gateway itself.

    Attributes:
        answer: Makes the answer.
        permission: What the caller must hold; None makes it public.
    """

    answer: Callable[[], Awaitable[OwnAnswer]]
    permission: Permission | None = None


def own_routes(upstreams: Mapping[str, Upstream], document: MergedDocument) -> dict[bytes, OwnRoute]:
    """Return the gateway's own addresses by path; each answers GET and HEAD."""

    async def live() -> OwnAnswer:
        return _json(Liveness())

    async def ready() -> OwnAnswer:
        checks = {name: _ready_check(upstream) for name, upstream in upstreams.items()}
        needed = {name: check for name, check in checks.items() if name == IDENTITY_SERVICE}
        wanted = {name: check for name, check in checks.items() if name != IDENTITY_SERVICE}
        return _json(await readiness(needed, wanted))

    async def show_metrics() -> OwnAnswer:
        return OwnAnswer(metrics.render_metrics(), metrics.CONTENT_TYPE.encode())

    async def openapi() -> OwnAnswer:
        return OwnAnswer(orjson.dumps(await document.read()), _JSON)

    async def page() -> OwnAnswer:
        policy = b"default-src 'none'; style-src 'sha256-" + _STYLE_HASH + b"'; frame-ancestors 'none'"
        body = render_page(await document.read()).encode()
        return OwnAnswer(body, b"text/html; charset=utf-8", policy)

    return {
        b"/health/live": OwnRoute(live),
        b"/health/ready": OwnRoute(ready),
        # What everybody's work amounts to is for those who may see everybody's work.
        b"/metrics": OwnRoute(show_metrics, Permission.TASK_MANAGE),
        b"/openapi.json": OwnRoute(openapi),
        b"/api/v1/openapi.json": OwnRoute(openapi),
        b"/docs": OwnRoute(page),
    }


def _ready_check(upstream: Upstream) -> Check:
    async def check() -> None:
        status, _ = await upstream.fetch("/health/ready")
        if status != 200:
            raise UnavailableError

    return check


def _json(body: BaseModel) -> OwnAnswer:
    return OwnAnswer(body.model_dump_json().encode(), _JSON)
