"""What every typed client does with its transport: encode a request, check the answer, parse it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import to_json

from datamate.clients.problems import UnexpectedAnswerError, answer_to_error
from datamate.clients.transport import Transport, TransportRequest, TransportResponse
from datamate.core.errors import DeadlineExceededError

AnswerT = TypeVar("AnswerT", bound=BaseModel)
QueryValue = str | int | bool | None

_MAX_ERROR_BODY_BYTES = 256 * 1024
_UPLOAD_SECONDS = 600.0
"""Time to send a file and have it stored; transports to a distant server count from the last byte sent."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a service, before it is encoded.

    Attributes:
        method: Upper case.
        path: Absolute and percent-encoded; `segment` encodes its variable parts.
        query: Parameters; those that are None are left out.
        headers: Lower-case names.
        body: A wire type to send as JSON, or bytes or chunks to send as they are.
    """

    method: str
    path: str
    query: Mapping[str, QueryValue] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: BaseModel | bytes | AsyncIterator[bytes] | None = None


class Caller:
    """Sends calls of one client over one transport.

    Attributes:
        deadline_seconds: Longest time for a call that answers JSON, from its start to the last byte; a call whose
            body is streamed has this long until the headers of the answer.
    """

    def __init__(self, transport: Transport, *, deadline_seconds: float = 30.0) -> None:
        self._transport = transport
        self.deadline_seconds = deadline_seconds

    async def fetch(self, call: Call, answer_type: type[AnswerT], *, deadline_seconds: float | None = None) -> AnswerT:
        """Send a call and return its JSON answer.

        Args:
            call: What to send.
            answer_type: The wire type of the answer.
            deadline_seconds: Longest time for the whole call, if it is not the client's own.

        Raises:
            DatamateError: What the service raised, by its class, code and words.
            UnexpectedAnswerError: The answer does not fit `answer_type`.
            DeadlineExceededError: The time ran out; the call was cancelled at the service.
        """
        return _parse(call, answer_type, await self._read_answer(call, deadline_seconds))

    async def send(self, call: Call, *, deadline_seconds: float | None = None) -> None:
        """Send a call whose answer has no body worth reading.

        Raises:
            DatamateError: As `fetch`.
        """
        await self._read_answer(call, deadline_seconds)

    async def upload(self, call: Call, answer_type: type[AnswerT]) -> AnswerT:
        """Send a call whose body is a file of any size, and return its JSON answer.

        Raises:
            DatamateError: As `fetch`.
        """
        async with self.open(call, deadline_seconds=_UPLOAD_SECONDS) as response:
            body = await _read(response, limit_bytes=None)
        return _parse(call, answer_type, body)

    @asynccontextmanager
    async def open(self, call: Call, *, deadline_seconds: float | None = None) -> AsyncIterator[TransportResponse]:
        """Send a call and give its successful answer, body unread.

        Raises:
            DatamateError: What the service raised, by its class, code and words.
        """
        request = _encode(call, deadline_seconds or self.deadline_seconds)
        async with self._transport.send(request) as response:
            if response.status >= 300:
                body = await _read(response, limit_bytes=_MAX_ERROR_BODY_BYTES)
                raise answer_to_error(response.status, response.headers, body)
            yield response

    async def _read_answer(self, call: Call, deadline_seconds: float | None) -> bytes:
        seconds = deadline_seconds or self.deadline_seconds
        try:
            async with asyncio.timeout(seconds), self.open(call, deadline_seconds=seconds) as response:
                return await _read(response, limit_bytes=None)
        except TimeoutError:
            raise DeadlineExceededError(
                f"{call.method} {call.path} did not answer within {seconds:g} seconds."
            ) from None


def segment(text: str | int) -> str:
    """Return a variable part of a path, encoded so that it stays one part."""
    return quote(str(text), safe="")


def _encode(call: Call, deadline_seconds: float) -> TransportRequest:
    headers = {"accept": "application/json", **call.headers}
    body = call.body
    if isinstance(body, BaseModel):
        headers["content-type"] = "application/json"
        body = to_json(_reveal(body.model_dump(exclude_unset=True)))
    query = tuple((name, _query_text(value)) for name, value in call.query.items() if value is not None)
    return TransportRequest(call.method, call.path, query, headers, body, deadline_seconds)


def _query_text(value: str | int | bool) -> str:  # noqa: FBT001 - the value of a query parameter
    return str(value).lower() if isinstance(value, bool) else str(value)


def _reveal(value: object) -> object:
    """Replace passwords by their text: a request is the one place where they must be in the clear."""
    match value:
        case SecretStr():
            return value.get_secret_value()
        case dict():
            return {name: _reveal(item) for name, item in value.items()}
        case list():
            return [_reveal(item) for item in value]
    return value


async def _read(response: TransportResponse, *, limit_bytes: int | None) -> bytes:
    body = bytearray()
    async for chunk in response.chunks():
        body += chunk
        if limit_bytes is not None and len(body) >= limit_bytes:
            break
    return bytes(body)


def _parse(call: Call, answer_type: type[AnswerT], body: bytes) -> AnswerT:
    try:
        return answer_type.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole body"
        raise UnexpectedAnswerError(
            f"{call.method} {call.path} answered something unexpected ({where}: {first['msg']}). "
            "Is the server a DataMate of the same version?"
        ) from None
