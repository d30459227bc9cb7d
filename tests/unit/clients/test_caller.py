"""Calls over a transport of the test's own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from datamate.clients.caller import Call, Caller, segment
from datamate.clients.pages import iterate_pages
from datamate.clients.problems import UnexpectedAnswerError
from datamate.clients.transport import TransportRequest
from datamate.contracts.main.auth import AccessToken, LoginRequest
from datamate.contracts.main.users import UpdateUserRequest
from datamate.contracts.paging import Page
from datamate.core.errors import DeadlineExceededError, NotFoundError


class ScriptedResponse:
    def __init__(self, status: int, body: bytes, headers: dict[str, str]):
        self.status, self._body, self.headers = status, body, headers

    async def chunks(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), 7):
            yield self._body[start : start + 7]


class ScriptedTransport:
    """Gives one answer to every request and remembers the requests."""

    def __init__(self, body: bytes = b"", *, status: int = 200, headers=None, pause_seconds: float = 0.0):
        self._response = ScriptedResponse(status, body, headers or {})
        self._pause_seconds = pause_seconds
        self.requests: list[TransportRequest] = []
        self.left = 0

    @asynccontextmanager
    async def send(self, request: TransportRequest) -> AsyncIterator[ScriptedResponse]:
        self.requests.append(request)
        try:
            await asyncio.sleep(self._pause_seconds)
            yield self._response
        finally:
            self.left += 1

    async def close(self) -> None:
        """Nothing is open."""


TOKEN = b'{"access_token": "t", "expires_in": 900, "new_field": 1}'


async def test_answer_is_parsed_when_service_is_newer():
    token = await Caller(ScriptedTransport(TOKEN)).fetch(Call("GET", "/x"), AccessToken)
    assert token == AccessToken(access_token="t", expires_in=900)


async def test_password_is_sent_in_the_clear_when_body_holds_a_secret():
    transport = ScriptedTransport(TOKEN)
    body = LoginRequest(username="ann", password=SecretStr("grüße"))
    await Caller(transport).fetch(Call("POST", "/auth/login", body=body), AccessToken)
    [request] = transport.requests
    assert request.body == '{"username":"ann","password":"grüße"}'.encode()
    assert request.headers["content-type"] == "application/json"


async def test_fields_left_out_are_not_sent_when_request_changes_a_part():
    transport = ScriptedTransport()
    await Caller(transport).send(Call("PATCH", "/users/1", body=UpdateUserRequest(enabled=False)))
    assert transport.requests[0].body == b'{"enabled":false}'


async def test_query_leaves_out_none_when_encoded():
    transport = ScriptedTransport()
    await Caller(transport).send(Call("GET", "/x", {"limit": 5, "cursor": None, "deep": True, "q": "a b"}))
    assert transport.requests[0].query == (("limit", "5"), ("deep", "true"), ("q", "a b"))


async def test_error_is_raised_when_status_is_not_a_success():
    transport = ScriptedTransport(b"nothing", status=404)
    with pytest.raises(NotFoundError):
        await Caller(transport).send(Call("GET", "/x"))
    assert transport.left == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"access_token": 4}'])
async def test_unexpected_answer_is_named_when_it_does_not_fit(body):
    with pytest.raises(UnexpectedAnswerError, match="GET /x"):
        await Caller(ScriptedTransport(body)).fetch(Call("GET", "/x"), AccessToken)


async def test_call_is_cancelled_when_deadline_passes():
    transport = ScriptedTransport(TOKEN, pause_seconds=30)
    with pytest.raises(DeadlineExceededError, match=r"0\.02 seconds"):
        await Caller(transport, deadline_seconds=0.02).fetch(Call("GET", "/x"), AccessToken)
    assert transport.left == 1


def test_segment_stays_one_part_when_text_holds_separators():
    assert segment("a/b?c#d%") == "a%2Fb%3Fc%23d%25"


async def test_pages_are_walked_to_the_end_when_there_are_several():
    pages = {
        None: Page[int](items=[1, 2], next_cursor="x"),
        "x": Page[int](items=[], next_cursor="y"),
        "y": Page[int](items=[3]),
    }

    async def fetch(cursor: str | None) -> Page[int]:
        return pages[cursor]

    assert [item async for item in iterate_pages(fetch)] == [1, 2, 3]
