"""What a client says about the content it sends, checked while the content passes."""

import base64
import binascii
import hashlib
import re
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from blake3 import blake3

from datamate.core.errors import FieldError, InvalidInputError
from datamate.services.data_management.blobs.errors import ChecksumMismatchError, SizeMismatchError

BLAKE3_HEADER: Final = "x-content-blake3"
DIGEST_HEADER: Final = "content-digest"
LENGTH_HEADER: Final = "content-length"

_HEX_DIGEST: Final = re.compile(r"[0-9a-fA-F]{64}")
_DIGEST_ITEM: Final = re.compile(r"\s*([a-z0-9-]+)\s*=\s*:([A-Za-z0-9+/]*={0,2}):\s*")


class _Hasher(Protocol):
    def update(self, data: bytes, /) -> object: ...
    def digest(self) -> bytes: ...


_ALGORITHMS: Final[Mapping[str, Callable[[], _Hasher]]] = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
"""Source: RFC 9530, section 5; the algorithms that it does not deprecate."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """One digest that the content must have."""

    header: str
    algorithm: Callable[[], _Hasher]
    digest: bytes


@dataclass(frozen=True, slots=True)
class ContentClaims:
    """What is claimed about some content.

    Attributes:
        size_bytes: Its exact size, or None when nobody said.
        checksums: Its digests; all of them must match.
    """

    size_bytes: int | None = None
    checksums: tuple[Checksum, ...] = ()

    async def checked(self, body: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """Yield the pieces of `body`; whoever writes them sees an error instead of an end that does not fit.

        Raises:
            SizeMismatchError: There are more or fewer bytes than announced.
            ChecksumMismatchError: A digest differs.
        """
        hashers = [checksum.algorithm() for checksum in self.checksums]
        size = 0
        async for piece in body:
            size += len(piece)
            for hasher in hashers:
                hasher.update(piece)
            yield piece
        if self.size_bytes is not None and size != self.size_bytes:
            raise SizeMismatchError(f"{self.size_bytes} bytes were announced and {size} came; send the file again.")
        for checksum, hasher in zip(self.checksums, hashers, strict=True):
            if hasher.digest() != checksum.digest:
                message = "the content that came does not match"
                raise ChecksumMismatchError(errors=[FieldError(checksum.header, message)])


def read_claims(headers: Mapping[str, str]) -> ContentClaims:
    """Return what the headers of a request claim about its body.

    Args:
        headers: Case-insensitive. `Content-Length`, `Content-Digest` (RFC 9530) and `X-Content-BLAKE3` (64
            hexadecimal digits) are read; digests of unknown algorithms are passed over, as the RFC asks.

    Raises:
        InvalidInputError: A header cannot be read.
    """
    length = headers.get(LENGTH_HEADER)
    checksums = [*_blake3_checksum(headers.get(BLAKE3_HEADER)), *_digests(headers.get(DIGEST_HEADER))]
    return ContentClaims(int(length) if length is not None and length.isdecimal() else None, tuple(checksums))


def _blake3_checksum(value: str | None) -> list[Checksum]:
    if value is None:
        return []
    if not _HEX_DIGEST.fullmatch(value.strip()):
        raise _unreadable(BLAKE3_HEADER, "expected 64 hexadecimal digits")
    return [Checksum(BLAKE3_HEADER, blake3, bytes.fromhex(value.strip()))]


def _digests(value: str | None) -> list[Checksum]:
    found = []
    for item in (value or "").split(",") if value else ():
        match = _DIGEST_ITEM.fullmatch(item)
        if match is None:
            raise _unreadable(DIGEST_HEADER, "expected a list such as sha-256=:<base64>:")
        algorithm = _ALGORITHMS.get(match[1])
        if algorithm is not None:
            found.append(Checksum(DIGEST_HEADER, algorithm, _decode(match[2])))
    return found


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise _unreadable(DIGEST_HEADER, "the digest is not base64") from None


def _unreadable(header: str, message: str) -> InvalidInputError:
    return InvalidInputError(f"The header {header} is not valid: {message}.", errors=[FieldError(header, message)])
