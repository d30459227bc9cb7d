"""The kinds of files that can be read, told by their suffix."""

from enum import StrEnum


class FileKind(StrEnum):
    """How a file is read."""

    JSONL = "jsonl"
    PARQUET = "parquet"
    CSV = "csv"
    TSV = "tsv"
    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"

    @property
    def is_document(self) -> bool:
        """Whether a file is one row."""
        return self in {FileKind.TEXT, FileKind.MARKDOWN, FileKind.HTML}


_SUFFIXES = {
    ".jsonl": FileKind.JSONL,
    ".ndjson": FileKind.JSONL,
    ".json": FileKind.JSONL,
    ".parquet": FileKind.PARQUET,
    ".csv": FileKind.CSV,
    ".tsv": FileKind.TSV,
    ".txt": FileKind.TEXT,
    ".text": FileKind.TEXT,
    ".md": FileKind.MARKDOWN,
    ".markdown": FileKind.MARKDOWN,
    ".html": FileKind.HTML,
    ".htm": FileKind.HTML,
}
_COMPRESSED = {".gz": "gzip", ".zst": "zstd"}


def compression_of(name: str) -> str | None:
    """Return how a file of this name is compressed: `gzip`, `zstd`, or None."""
    return _COMPRESSED.get(_suffix(name))


def kind_of(name: str) -> FileKind | None:
    """Return how a file of this name is read, or None if it cannot be.

    Files of lines may be compressed (`.jsonl.gz`, `.csv.zst`); other kinds may not.
    """
    if compression_of(name) is None:
        return _SUFFIXES.get(_suffix(name))
    kind = _SUFFIXES.get(_suffix(name.rpartition(".")[0]))
    return kind if kind in {FileKind.JSONL, FileKind.CSV, FileKind.TSV} else None


def supported_suffixes() -> str:
    """Return the suffixes that can be read, for people."""
    return f"{', '.join(_SUFFIXES)} (.jsonl, .csv and .tsv also with .gz or .zst)"


def _suffix(name: str) -> str:
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""
