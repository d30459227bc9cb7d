"""The fate of every row, written beside the output: kept, dropped with its reason, or quarantined as it was.

`rows/*.parquet` has one record for each row of the input, `quarantine.jsonl` the rows that could not be processed.
"""

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
import polars as pl

from datamate.engine.files import writing_to
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

_FATE_SCHEMA: dict[str, pl.DataType] = {name: ROWS_SCHEMA[name] for name in ("outcome", "operator", "metric")}
_Fate = tuple[str, str | None, str | None]


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


class Ledger:
    """Collects the fate of the rows of one partition in one stage, in 18 bytes a row.

    Quarantined rows themselves go to a file at once, as all rows of a partition may be bad.
    """

    def __init__(self, files: Sequence[InputFile], partition: Partition, quarantine: Path) -> None:
        """Begin with nothing.

        Args:
            files: The input.
            partition: The partition.
            quarantine: The file for rows that could not be processed; made for the first one.
        """
        self._files, self._partition, self._quarantine_path = files, partition, quarantine
        self._are_documents = files[partition.file].kind.is_document
        self._fates: dict[_Fate, int] = {}
        self._ordinals: list[pl.Series] = []
        self._codes: list[pl.Series] = []
        self._values: list[pl.Series] = []

    def keep(self, ordinals: pl.Series) -> None:
        """Record rows that reach the output, in its order."""
        self._add(ordinals, ("kept", None, None))

    def drop(self, ordinals: pl.Series, operator: str, metric: str, values: pl.Series | None = None) -> None:
        """Record rows that an operator removed, with the metric that decided it."""
        self._add(ordinals, ("dropped", operator, metric), values)

    def quarantine(self, rows: Sequence[Quarantined], *, with_raw: bool) -> None:
        """Record rows that could not be processed, on demand with what they held."""
        by_reason: dict[tuple[str, str], list[int]] = {}
        for row in rows:
            by_reason.setdefault((row.operator, row.code), []).append(row.ordinal)
        for (operator, code), ordinals in by_reason.items():
            self._add(pl.Series(ordinals, dtype=pl.UInt64), ("quarantined", operator, code))
        with writing_to(self._quarantine_path), self._quarantine_path.open("ab") as file:
            file.writelines(self._quarantine_line(row, with_raw=with_raw) for row in rows)

    def write(self, path: Path) -> None:
        """Write the records with the columns of `ROWS_SCHEMA`; without records there is no file."""
        if self._ordinals:
            buffer = io.BytesIO()
            self._rows().write_parquet(buffer)
            with writing_to(path):
                path.write_bytes(buffer.getbuffer())

    def place(self, ordinal: int) -> tuple[str, int]:
        """Return the source and the ordinal that users know a row by."""
        return (self._files[ordinal].name, 0) if self._are_documents else (self._name, ordinal)

    def _rows(self) -> pl.DataFrame:
        ordinals = pl.concat(self._ordinals, rechunk=True)
        names = pl.Series("source", [file.name for file in self._files] if self._are_documents else [self._name])
        fates = pl.DataFrame(list(self._fates), schema=_FATE_SCHEMA, orient="row")
        zero = pl.Series([0], dtype=pl.UInt64).new_from_index(0, len(ordinals))
        return pl.DataFrame(
            [
                names[ordinals if self._are_documents else zero],
                (zero if self._are_documents else ordinals).alias("ordinal"),
                *fates[pl.concat(self._codes, rechunk=True)],
                pl.concat(self._values, rechunk=True).alias("value"),
            ]
        )

    @property
    def _name(self) -> str:
        return self._files[self._partition.file].name

    def _add(self, ordinals: pl.Series, fate: _Fate, values: pl.Series | None = None) -> None:
        height = len(ordinals)
        if height:
            code = self._fates.setdefault(fate, len(self._fates))
            self._ordinals.append(ordinals)
            self._codes.append(pl.Series([code], dtype=pl.UInt16).new_from_index(0, height))
            missing = pl.Series([None], dtype=pl.Float64)
            self._values.append(missing.new_from_index(0, height) if values is None else values.cast(pl.Float64))

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
