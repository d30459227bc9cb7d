"""The media type of a file, from its path alone: the same on every machine."""

import mimetypes
import re
from pathlib import PurePosixPath
from typing import Final

FALLBACK: Final = "application/octet-stream"

# What the standard library does not know, or calls by an older name.
_MORE: Final = {
    ".csv": "text/csv",
    ".gz": "application/gzip",
    ".jsonl": "application/jsonl",
    ".md": "text/markdown",
    ".ndjson": "application/jsonl",
    ".parquet": "application/vnd.apache.parquet",
    ".tsv": "text/tab-separated-values",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".zst": "application/zstd",
}
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100}")
# What clients send when they do not know: curl for any body, browsers for unknown files.
_MEANINGLESS: Final = frozenset(
    {FALLBACK, "application/x-www-form-urlencoded", "multipart/form-data", "binary/octet-stream"}
)


# The library's built-in table, not what the files of this machine say.
_TYPES: Final = mimetypes.MimeTypes().types_map[True] | _MORE


def media_type_of(path: str, *, claimed: str | None = None) -> str:
    """Return the media type of a file.

    Args:
        path: Its path; the extension decides.
        claimed: What the client called it; counts where the extension says nothing.
    """
    known = _TYPES.get(PurePosixPath(path).suffix.lower())
    if known is not None:
        return known
    named = (claimed or "").partition(";")[0].strip().lower()
    return named if _MEDIA_TYPE.fullmatch(named) and named not in _MEANINGLESS else FALLBACK
