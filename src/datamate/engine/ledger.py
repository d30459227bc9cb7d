"""The fate of every row, written beside the output: kept, dropped with its reason, or quarantined as it was.

`rows/*.parquet` has one record for each row of the input, `quarantine.jsonl` the rows that could not be processed.
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import polars as pl

from datamate.engine.inputs import InputFile
from datamate.engine.partitions import Partition

_OUTCOMES = pl.Enum(["kept", "dropped", "quarantined"])
ROWS_SCHEMA: dict[str, pl.DataType] = {
    "source": pl.String(),
    "ordinal": pl.UInt64(),
    "outcome": _OUTCOMES,
    "operator": pl.String(),
    "metric": pl.String(),
    "value": pl.Float64(),
}
DUPLICATE_METRIC = "duplicate"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row that could not be processed.

    Attributes:
        ordinal: Its ordinal.
        operator: The operator that failed, or `reader`.
        code: Machine-readable reason.
        message: What is wrong, in plain words.
        raw: The row of the input as it was.
    """

    ordinal: int
    operator: str
    code: str
    message: str
    raw: bytes


@dataclass(slots=True)
class Ledger:
    """Collects the fate of the rows of one partition in one stage."""

    _files: Sequence[InputFile]
    _partition: Partition
    _frames: list[pl.DataFrame] = field(default_factory=list)
    _quarantined: list[bytes] = field(default_factory=list)

    def keep(self, ordinals: pl.Series) -> None:
        """Record rows that reach the output, in its order."""
        self._add(ordinals, "kept")

    def drop(self, ordinals: pl.Series, operator: str, metric: str, values: pl.Series | None = None) -> None:
        """Record rows that an operator removed, with the metric that decided it."""
        self._add(ordinals, "dropped", operator, metric, values)

    def quarantine(self, rows: Sequence[Quarantined], *, with_raw: bool) -> None:
        """Record rows that could not be processed, on demand with what they held."""
        for row in rows:
            self._add(pl.Series([row.ordinal], dtype=pl.UInt64), "quarantined", row.operator, row.code)
            self._quarantined.append(self._quarantine_line(row, with_raw=with_raw))

    def rows(self) -> pl.DataFrame | None:
        """Return the records with the columns of `ROWS_SCHEMA`, or None if there are none."""
        if not self._frames:
            return None
        records = pl.concat(self._frames).rechunk()
        if not self._are_documents:
            name = self._files[self._partition.file].name
            return records.select(pl.lit(name).alias("source"), pl.all())
        names = pl.Series([file.name for file in self._files], dtype=pl.String)
        sources = names.gather(records["ordinal"]).alias("source")
        return records.with_columns(pl.lit(0, pl.UInt64).alias("ordinal")).select(sources, pl.all())

    def quarantine_lines(self) -> bytes:
        """Return the quarantined rows as lines of JSON; empty if there are none."""
        return b"".join(self._quarantined)

    def place(self, ordinal: int) -> tuple[str, int]:
        """Return the source and the ordinal that users know a row by."""
        if self._are_documents:
            return self._files[ordinal].name, 0
        return self._files[self._partition.file].name, ordinal

    @property
    def _are_documents(self) -> bool:
        return self._files[self._partition.file].kind.is_document

    def _add(
        self, ordinals: pl.Series, outcome: str, operator: str | None = None, metric: str | None = None,
        values: pl.Series | None = None,
    ) -> None:  # fmt: skip
        if ordinals.is_empty():
            return
        frame = ordinals.alias("ordinal").to_frame()
        self._frames.append(
            frame.with_columns(
                pl.lit(outcome, _OUTCOMES).alias("outcome"),
                pl.lit(operator, pl.String).alias("operator"),
                pl.lit(metric, pl.String).alias("metric"),
                (pl.lit(None, pl.Float64) if values is None else values.cast(pl.Float64)).alias("value"),
            )
        )

    def _quarantine_line(self, row: Quarantined, *, with_raw: bool) -> bytes:
        source, ordinal = self.place(row.ordinal)
        record: dict[str, object] = {
            "source": source,
            "ordinal": ordinal,
            "operator": row.operator,
            "code": row.code,
            "message": row.message,
        }
        if with_raw:
            try:
                record["raw"] = row.raw.decode()
            except UnicodeDecodeError:
                record["raw_base64"] = base64.b64encode(row.raw).decode()
        return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


def read_rows(details: Path) -> pl.DataFrame:
    """Return the fate of every row of a finished run, in the order of the input within each stage.

    Args:
        details: The run's folder of details.
    """
    files = sorted((details / "rows").glob("*.parquet"))
    return pl.concat([pl.read_parquet(file) for file in files]) if files else pl.DataFrame(schema=ROWS_SCHEMA)


def read_quarantine(details: Path) -> Iterator[dict[str, object]]:
    """Yield the quarantined rows of a finished run, each with `raw` as bytes (None if they were not kept)."""
    path = details / "quarantine.jsonl"
    if not path.exists():
        return
    with path.open("rb") as lines:
        for line in lines:
            record: dict[str, object] = orjson.loads(line)
            encoded = record.pop("raw_base64", None)
            if isinstance(encoded, str):
                record["raw"] = base64.b64decode(encoded)
            else:
                raw = record.get("raw")
                record["raw"] = raw.encode() if isinstance(raw, str) else None
            yield record
