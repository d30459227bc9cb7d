"""The operator contract: what an operator declares, and the three ways in which it may compute its values.

An operator turns columns of a batch into exactly one value per row. What the value means is its kind's business: the
new text (mapper), the metric to judge the row by (filter), the key that equal rows share (deduplicator). It never
removes, adds or reorders rows, and never writes anywhere: the engine does that from the values.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, model_validator

from datamate.operators.errors import OperatorContractError

if TYPE_CHECKING:
    # Importing pyarrow takes 0.1 s (0.3 s with NumPy) in every worker process; operators with expr() never need it.
    import pyarrow as pa

Value = str | float | bytes
Sample = Mapping[str, object]


class OperatorKind(StrEnum):
    """What the engine does with an operator's values."""

    MAPPER = "mapper"
    FILTER = "filter"
    DEDUPLICATOR = "deduplicator"


@dataclass(frozen=True, slots=True)
class Resources:
    """What one running copy of an operator needs.

    Attributes:
        cpus: Processor cores, at least a fraction of one.
        gpus: Graphics processors; 0 for none.
        memory_bytes: Memory beyond the batch itself; 0 when it is a small multiple of the batch.
    """

    cpus: float = 1.0
    gpus: float = 0.0
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Spec:
    """What an operator declares about itself.

    Attributes:
        name: The name in a recipe.
        version: Goes up whenever the same row and parameters give another value; results cached under an older version
            are then not used again.
        kind: What the values mean.
        summary: One sentence for people who choose operators.
        reads: Names of the parameters that hold the columns the operator reads.
        writes: Names of the parameters that hold the columns the operator writes; empty for a filter.
        resources: What one running copy needs.
    """

    name: str
    version: int
    kind: OperatorKind
    summary: str
    reads: tuple[str, ...] = ("text_key",)
    writes: tuple[str, ...] = ()
    resources: Resources = Resources()


class Params(BaseModel):
    """The parameters of an operator: frozen, bounded, nothing beyond what is declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    text_key: str = Field(default="text", min_length=1, description="The column that holds the text.")


class FilterParams(Params):
    """The parameters every filter has: which side of its bounds a row must be on.

    They mean what they mean in Data-Juicer, but bounds the wrong way round are refused instead of dropping every row.

    Attributes:
        bound_fields: The names of the parameters that hold the minimum and the maximum.
    """

    bound_fields: ClassVar[tuple[str, str]]

    min_closed_interval: bool = Field(default=True, description="Whether a metric equal to the minimum is kept.")
    max_closed_interval: bool = Field(default=True, description="Whether a metric equal to the maximum is kept.")
    reversed_range: bool = Field(default=False, description="Keep the rows outside the bounds instead of inside.")

    @property
    def bounds(self) -> tuple[float, float]:
        """The minimum and the maximum of the metric."""
        low, high = (getattr(self, field) for field in self.bound_fields)
        return low, high

    @model_validator(mode="after")
    def _check_order(self) -> "FilterParams":
        low, high = self.bounds
        if low > high:
            names = self.bound_fields
            raise ValueError(
                f"{names[0]} ({low}) is above {names[1]} ({high}), so no row could pass; swap or change them"
            )
        return self


P_co = TypeVar("P_co", bound=Params, covariant=True)
F_co = TypeVar("F_co", bound=FilterParams, covariant=True)


class Operator(Generic[P_co]):
    """The base of all operators; derive from `Mapper`, `Filter` or `Deduplicator`.

    A concrete operator sets `spec` and `params_type` and overrides the best entry point it can. The engine takes the
    best one present: `expr` (runs inside Polars, fused with its neighbours), else `process` (a whole batch), else
    `execute` (row by row). Values depend on nothing but the row and the parameters.
    """

    spec: ClassVar[Spec]
    params_type: ClassVar[type[Params]]

    def __init__(self, params: P_co) -> None:
        """Prepare the operator for many batches; costly preparation (tables, compiled patterns) belongs here."""
        self.params = params

    @property
    def columns_read(self) -> tuple[str, ...]:
        """The columns the operator reads, with its parameters as they are."""
        return tuple(str(getattr(self.params, parameter)) for parameter in self.spec.reads)

    @property
    def columns_written(self) -> tuple[str, ...]:
        """The columns the operator writes, with its parameters as they are."""
        return tuple(str(getattr(self.params, parameter)) for parameter in self.spec.writes)

    def expr(self) -> pl.Expr | None:
        """Return the values as a Polars expression over the columns read, or None when there is no such expression.

        The expression is elementwise, so the engine may put it in one query with those of neighbouring operators.
        """
        return None

    def process(self, batch: "pa.RecordBatch") -> "pa.Array | pl.Series":
        """Return one value for each row of a batch.

        Args:
            batch: The columns read and no others, strings as Arrow string views, no nulls in them.

        Returns:
            As many values as rows, in the same order, none of them null.

        Raises:
            Exception: Any error means that some row of the batch cannot be processed; the caller looks for it by
                halving the batch.
        """
        raise NotImplementedError

    def execute(self, sample: Sample) -> Value:
        """Return the value for one row.

        Args:
            sample: The columns read, by name.

        Raises:
            RowError: This row cannot be processed; any other exception means the same with a less helpful message.
        """
        raise NotImplementedError


class Mapper(Operator[P_co]):
    """An operator whose values are the new text, one per row, written to `columns_written[0]`."""


class Filter(Operator[F_co]):
    """An operator whose values are a metric, one number per row; rows out of bounds are dropped.

    Attributes:
        metric_name: What the metric is called in reasons and reports.
    """

    metric_name: ClassVar[str]

    def keep(self, values: pl.Series) -> pl.Series:
        """Return which rows stay.

        Args:
            values: The metrics this filter computed; null for a failed row.

        Returns:
            Booleans; null where the metric is null.
        """
        params, (low, high) = self.params, self.params.bounds
        # The interval that is closed or open is the one that is kept, so reversing the range swaps the two.
        above = values >= low if params.min_closed_interval != params.reversed_range else values > low
        below = values <= high if params.max_closed_interval != params.reversed_range else values < high
        inside = above & below
        return ~inside if params.reversed_range else inside

    def reasons(self, values: pl.Series) -> pl.Series:
        """Return why each of these dropped rows was dropped, such as "text_len is below min_len 10".

        Args:
            values: Metrics of rows that `keep` refused.
        """
        (low_name, high_name), (low, high) = self.params.bound_fields, self.params.bounds
        if self.params.reversed_range:
            reason = f"{self.metric_name} is within {low_name} {low} and {high_name} {high}"
            return pl.repeat(reason, len(values), eager=True, dtype=pl.String)
        too_low = values < low if self.params.min_closed_interval else values <= low
        words = ("below", "above") if self.params.min_closed_interval else ("not above", "above")
        high_word = words[1] if self.params.max_closed_interval else "not below"
        texts = [
            f"{self.metric_name} is {words[0]} {low_name} {low}",
            f"{self.metric_name} is {high_word} {high_name} {high}",
        ]
        return pl.select(
            pl.when(too_low).then(pl.lit(texts[0])).otherwise(pl.lit(texts[1])).alias("reason")
        ).to_series()


class Deduplicator(Operator[P_co]):
    """An operator whose values are a key of 16 bytes per row; the first row of each key stays."""


VALUE_TYPES: Mapping[OperatorKind, pl.DataType] = {
    OperatorKind.MAPPER: pl.String(),
    OperatorKind.FILTER: pl.Float64(),
    OperatorKind.DEDUPLICATOR: pl.Binary(),
}


def check_contract(operator_type: type[Operator[Params]]) -> None:
    """Check that a concrete operator class declares what the contract asks for.

    Raises:
        OperatorContractError: The kind does not fit the base class, a column parameter does not exist, or no entry
            point is implemented.
    """
    spec, name = operator_type.spec, operator_type.__name__
    bases: dict[OperatorKind, type] = {
        OperatorKind.MAPPER: Mapper,
        OperatorKind.FILTER: Filter,
        OperatorKind.DEDUPLICATOR: Deduplicator,
    }
    if not issubclass(operator_type, bases[spec.kind]):
        raise OperatorContractError(
            f"{name} declares kind {spec.kind}, but does not derive from {bases[spec.kind].__name__}."
        )
    unknown = {*spec.reads, *spec.writes} - set(operator_type.params_type.model_fields)
    if unknown:
        raise OperatorContractError(
            f"{name} names column parameters that its Params lacks: {', '.join(sorted(unknown))}."
        )
    if not any(_overrides(operator_type, entry) for entry in ("expr", "process", "execute")):
        raise OperatorContractError(f"{name} implements none of expr, process and execute.")


def has_process(operator: Operator[Params]) -> bool:
    """Tell whether the operator takes whole batches."""
    return _overrides(type(operator), "process")


def _overrides(operator_type: type[Operator[Params]], entry: str) -> bool:
    return getattr(operator_type, entry) is not getattr(Operator, entry)
