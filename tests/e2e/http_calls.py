"""Bare HTTP, for what a typed client would hide: statuses, headers, problem details."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from e2e.topologies import Site


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def problem(self, status: int) -> Any:
        """The problem that this answer must be."""
        assert self.status == status, self.body
        assert self.headers["content-type"] == "application/problem+json"
        problem = self.json
        assert problem["status"] == status
        assert problem["detail"]
        assert problem["code"]
        assert problem["trace_id"]
        return problem


def call(
    site: Site, method: str, path: str, body: object = None, *, token: str | None = None, **headers: str
) -> Answer:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        names["authorization"] = f"Bearer {token}"
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    if data is not None:
        names.setdefault("content-type", "application/json")
    request = urllib.request.Request(f"{site.url}{path}", data, names, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return Answer(answer.status, _headers(answer.headers), answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, _headers(error.headers), error.read())


def get_token(site: Site, username: str, password: str) -> str:
    answer = call(site, "POST", "/api/v1/auth/login", {"username": username, "password": password})
    assert answer.status == 200, answer.body
    return answer.json["access_token"]


def _headers(fields) -> dict[str, str]:
    return {name.lower(): value for name, value in fields.items()}
