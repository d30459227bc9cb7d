"""Reads a multipart/form-data body of files as it arrives, without keeping any of them."""

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from datamate.core.errors import FieldError
from datamate.services.data_management.files.errors import MultipartError

MAX_FILES: Final = 1_000
_MAX_HEADERS: Final = 16
_MAX_HEADER_BYTES: Final = 8_192


@dataclass(slots=True)
class Part:
    """One file of the body.

    Attributes:
        filename: What the client calls it, folders included.
        content_type: What the client says it is, or None.
        place: Its number in the body, from 0.
    """

    filename: str
    content_type: str | None
    place: int


@dataclass(slots=True)
class _Headers:
    fields: dict[str, bytes] = field(default_factory=dict)
    name: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)

    def end_field(self) -> None:
        self.fields[self.name.decode("latin-1").lower()] = bytes(self.value)
        self.name, self.value = bytearray(), bytearray()


class MultipartReader:
    """Yields the files of one body in their order; each must be read before the next."""

    def __init__(self, content_type: str, body: AsyncIterator[bytes]) -> None:
        """Prepare to read `body`.

        Raises:
            MultipartError: The content type is not multipart/form-data with a boundary.
        """
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            message = "expected multipart/form-data with a boundary"
            raise MultipartError(
                f"The Content-Type is not right: {message}.", errors=[FieldError("content-type", message)]
            )
        self._body = body
        self._events: deque[_Headers | bytes | None] = deque()
        self._headers = _Headers()
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": lambda data, start, end: self._headers.name.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._headers.value.extend(data[start:end]),
                "on_header_end": self._end_field,
                "on_headers_finished": lambda: self._events.append(self._headers),
                "on_part_data": lambda data, start, end: self._events.append(bytes(data[start:end])),
                "on_part_end": lambda: self._events.append(None),
                "on_end": self._end,
            },
            max_header_count=_MAX_HEADERS,
            max_header_size=_MAX_HEADER_BYTES,
        )

    async def parts(self) -> AsyncIterator[Part]:
        """Yield each file; read it by `content` before going on.

        Raises:
            MultipartError: The body is malformed, breaks off, or holds a field that is no file.
        """
        place = 0
        while await self._fill():
            event = self._events.popleft()
            if not isinstance(event, _Headers):
                raise MultipartError("A file was not read to its end.")
            if place == MAX_FILES:
                raise MultipartError(
                    f"The body holds more than {MAX_FILES} files; use an upload, which takes any number."
                )
            yield _part(event, place)
            place += 1

    async def content(self) -> AsyncIterator[bytes]:
        """Yield the bytes of the file that `parts` yielded last."""
        while await self._fill():
            event = self._events.popleft()
            if event is None:
                return
            if isinstance(event, bytes):
                yield event

    async def _fill(self) -> bool:
        """Parse on until there is an event; False at the end of the body."""
        while not self._events:
            if self._ended:
                return False
            chunk = await anext(self._body, None)
            if chunk is None:
                raise MultipartError("The body breaks off before its closing boundary; send it again.")
            try:
                self._parser.write(chunk)
            except FormParserError as error:
                raise MultipartError(f"The body is not valid multipart/form-data: {error}.") from error
        return True

    def _begin_part(self) -> None:
        self._headers = _Headers()

    def _end_field(self) -> None:
        self._headers.end_field()

    def _end(self) -> None:
        self._ended = True


def _part(headers: _Headers, place: int) -> Part:
    _, options = parse_options_header(headers.fields.get("content-disposition", b""))
    if b"filename" not in options:
        name = options.get(b"name", b"").decode("utf-8", "replace")
        raise MultipartError(
            f"The field {name!r} is no file; send files alone.", errors=[FieldError(name, "is no file")]
        )
    content_type = headers.fields.get("content-type")
    try:
        filename = options[b"filename"].decode()
    except UnicodeDecodeError:
        fault = FieldError(f"files.{place}", "the name is not UTF-8")
        raise MultipartError("The name of a file is not UTF-8.", errors=[fault]) from None
    return Part(filename, content_type.decode("latin-1") if content_type else None, place)
