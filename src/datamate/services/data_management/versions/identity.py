"""The identity of a version: equal content, equal hash, whatever history led to it."""

from typing import Final

from blake3 import blake3

from datamate.platform.db import Session
from datamate.services.data_management.versions import repository

_PAGE_ROWS: Final = 10_000


async def version_hash(session: Session, dataset_key: int, version: int) -> bytes:
    """Return the 32-byte BLAKE3 of a version.

    It covers, for each file in the order of the bytes of its path: the length of the path in UTF-8 (4 bytes), the
    path, the size (8 bytes), the BLAKE3 of the content (32 bytes); numbers are big-endian. Lengths come first so that
    no two lists of files encode alike. Takes one pass over the files, ten thousand at a time.
    """
    hasher, after = blake3(), ""
    while page := await repository.identity_rows(session, dataset_key, version, after=after, limit=_PAGE_ROWS):
        rows, after = page
        hasher.update(rows)
    return hasher.digest()
