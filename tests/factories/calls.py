"""Calls of a service's routes in process, as a user of any role or as another part of DataMate."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import ASGIApp

from datamate.clients.events import ServerEvent, parse_events
from datamate.clients.transport import TransportRequest
from datamate.contracts.main.permissions import BUILT_IN_ROLES
from datamate.platform.http.in_process import InProcessTransport
from datamate.platform.security import Principal


def principal(role: str = "ADMIN", user_id: int = 1) -> Principal:
    """A user of one of the built-in roles."""
    permissions = frozenset(BUILT_IN_ROLES[role])
    return Principal(str(user_id), f"user-{user_id}", role, permissions, actor="gateway")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def fields(self) -> list[str]:
        """The fields that a problem names."""
        assert self.headers["content-type"] == "application/problem+json"
        return [error["field"] for error in self.json["errors"]]


class Caller:
    """Sends requests to an application on behalf of one principal; of a part of DataMate if it has none."""

    def __init__(self, app: ASGIApp, who: Principal | None = None, *, part: str = "gateway") -> None:
        transport = InProcessTransport(app, part)
        self._transport = transport if who is None else transport.as_principal(who)

    async def __call__(self, method: str, target: str, body: object = None, **headers: str) -> Answer:
        """Send a request; the target may have a query, a body goes out as JSON."""
        async with self._transport.send(_request(method, target, body, headers)) as response:
            content = b"".join([chunk async for chunk in response.chunks()])
            return Answer(response.status, dict(response.headers), content)

    @asynccontextmanager
    async def events(self, target: str, **headers: str) -> AsyncIterator[AsyncIterator[ServerEvent]]:
        async with self._transport.send(_request("GET", target, None, headers)) as response:
            assert response.status == 200
            assert response.headers["content-type"].startswith("text/event-stream")
            yield parse_events(response.chunks())


def _request(method: str, target: str, body: object, headers: dict[str, str]) -> TransportRequest:
    path, _, query = target.partition("?")
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    if content is not None:
        names.setdefault("content-type", "application/json")
    return TransportRequest(method, path, tuple(parse_qsl(query, keep_blank_values=True)), names, content)
