"""The one seam between the engine and an operator: run it over a frame, get a value or a failure for every row.

This is where DataMate differs from Data-Juicer on purpose: there one null or one error drops a batch of 1,000 rows with
a line in a log, here it fails one row, with its reason.
"""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from datamate.core.errors import DatamateError, InvalidInputError
from datamate.operators.base import VALUE_TYPES, Operator, Params, Value, has_process
from datamate.operators.errors import OperatorContractError, RowError

KEY_BYTES = 16

Compute = Callable[[pl.DataFrame], pl.Series]


@dataclass(frozen=True, slots=True)
class RowFailure:
    """One row an operator could not process.

    Attributes:
        index: The row's position in the frame, from 0.
        error_code: The error's machine-readable code; `row_error` for a null, `operator_failed` for errors of no known
            kind.
        message: What went wrong, in plain words.
    """

    index: int
    error_code: str
    message: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an operator made of a frame.

    Attributes:
        values: One value per row of the frame, in its order: String (mapper), Float64 (filter), Binary of 16 bytes
            (deduplicator); null exactly where the row failed.
        failures: The failed rows, by ascending index.
    """

    values: pl.Series
    failures: tuple[RowFailure, ...] = ()


def evaluate(operator: Operator[Params], frame: pl.DataFrame) -> Evaluation:
    """Run an operator over a frame by the best entry point it has.

    A row with a null in a column that is read fails without reaching the operator. When an operator over whole batches
    raises, the batch is halved until the rows at fault stand alone; they fail, the others get their values.

    Args:
        operator: The operator, with its parameters.
        frame: Any columns, among them those the operator reads; only those are handed over.

    Raises:
        InvalidInputError: The frame lacks a column the operator reads, or the text column holds something else.
        OperatorContractError: The operator returned too few values, values of a wrong type, or nulls.
    """
    _check_columns(operator, frame)
    columns = list(operator.columns_read)
    inputs = frame.select(columns)
    failures = _null_failures(inputs, columns)
    if not failures:
        values, failures = _run(operator, inputs)
        return Evaluation(values, tuple(failures))
    bad = pl.Series([failure.index for failure in failures], dtype=pl.UInt32)
    rows = pl.int_range(frame.height, eager=True, dtype=pl.UInt32)
    good = rows.filter(~rows.is_in(bad.implode()))
    found, further = _run(operator, inputs[good])
    failures += [RowFailure(good[failure.index], failure.error_code, failure.message) for failure in further]
    values = pl.repeat(None, frame.height, eager=True, dtype=VALUE_TYPES[operator.spec.kind]).scatter(good, found)
    return Evaluation(values, tuple(sorted(failures, key=lambda failure: failure.index)))


def _check_columns(operator: Operator[Params], frame: pl.DataFrame) -> None:
    for parameter, column in zip(operator.spec.reads, operator.columns_read, strict=True):
        if column not in frame.columns:
            raise InvalidInputError(
                f"{operator.spec.name} reads column '{column}' ({parameter}), which the data lacks; "
                f"it has: {', '.join(frame.columns)}."
            )
        if parameter == "text_key" and frame.schema[column] not in (pl.String, pl.Null):
            raise InvalidInputError(
                f"{operator.spec.name} reads text from column '{column}', which holds {frame.schema[column]}."
            )


def _null_failures(inputs: pl.DataFrame, columns: list[str]) -> list[RowFailure]:
    by_row: dict[int, RowFailure] = {}
    for column in columns:
        if inputs[column].null_count():
            for index in inputs[column].is_null().arg_true():
                by_row.setdefault(index, RowFailure(index, RowError.code, f"column '{column}' is null"))
    return [by_row[index] for index in sorted(by_row)]


def _run(operator: Operator[Params], inputs: pl.DataFrame) -> tuple[pl.Series, list[RowFailure]]:
    expression = operator.expr()
    if expression is not None:
        return _bisect(operator, inputs, lambda part: part.select(expression.alias("value")).to_series(), 0)
    if has_process(operator):
        return _bisect(operator, inputs, lambda part: _process(operator, part), 0)
    return _execute(operator, inputs)


def _process(operator: Operator[Params], inputs: pl.DataFrame) -> pl.Series:
    table = inputs.rechunk().to_arrow(compat_level=pl.CompatLevel.newest())
    values = operator.process(table.combine_chunks().to_batches()[0])
    return values if isinstance(values, pl.Series) else pl.Series(values)


def _execute(operator: Operator[Params], inputs: pl.DataFrame) -> tuple[pl.Series, list[RowFailure]]:
    values: list[Value | None] = []
    failures: list[RowFailure] = []
    for index, sample in enumerate(inputs.iter_rows(named=True)):
        try:
            values.append(operator.execute(sample))
        except Exception as error:  # noqa: BLE001 - any code may run here, and the row's failure reports the error
            values.append(None)
            failures.append(_failure(index, error))
    try:
        series = pl.Series("value", values, dtype=VALUE_TYPES[operator.spec.kind])
    except TypeError as error:
        raise OperatorContractError(f"{operator.spec.name} returned a value of a wrong type: {error}.") from error
    if series.null_count() > len(failures):
        raise OperatorContractError(f"{operator.spec.name} returned None for a row instead of raising.")
    _checked(operator, series.drop_nulls(), inputs.height - len(failures))
    return series, failures


def _bisect(
    operator: Operator[Params], inputs: pl.DataFrame, compute: Compute, offset: int
) -> tuple[pl.Series, list[RowFailure]]:
    """Return the values of `inputs`, and the failures with indices counted from `offset`."""
    if inputs.is_empty():
        return pl.Series("value", [], dtype=VALUE_TYPES[operator.spec.kind]), []
    try:
        raw = compute(inputs)
    # An operator may be anybody's code and raise anything; each failure is reported as a row's, none is swallowed.
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001
        if inputs.height == 1:
            return _failed_value(operator), [_failure(offset, error)]
    else:
        return _checked(operator, raw, inputs.height), []
    half = inputs.height // 2
    head, head_failures = _bisect(operator, inputs[:half], compute, offset)
    tail, tail_failures = _bisect(operator, inputs[half:], compute, offset + half)
    return head.append(tail), head_failures + tail_failures


def _failed_value(operator: Operator[Params]) -> pl.Series:
    return pl.Series("value", [None], dtype=VALUE_TYPES[operator.spec.kind])


def _failure(index: int, error: BaseException) -> RowFailure:
    if isinstance(error, DatamateError):
        code, text = error.code, error.detail
    else:
        code, text = "operator_failed", f"{type(error).__name__}: {error}"
    # Polars appends the expression it was running, which says nothing to the owner of the row.
    message = text.partition("\n\nThis error occurred in the following")[0]
    return RowFailure(index, code, message)


def _checked(operator: Operator[Params], values: pl.Series, height: int) -> pl.Series:
    """Return the values as their kind's type, once they are seen to keep the contract."""
    name, wanted = operator.spec.name, VALUE_TYPES[operator.spec.kind]
    if len(values) != height:
        raise OperatorContractError(f"{name} returned {len(values)} values for {height} rows.")
    numeric = wanted == pl.Float64 and (values.dtype.is_numeric() or values.dtype == pl.Boolean)
    if values.dtype != wanted and not numeric:
        raise OperatorContractError(f"{name} returned values of type {values.dtype}; its kind needs {wanted}.")
    if values.null_count():
        raise OperatorContractError(f"{name} returned null for {values.null_count()} rows.")
    if wanted == pl.Binary and (values.bin.size() != KEY_BYTES).any():
        raise OperatorContractError(f"{name} returned keys that are not {KEY_BYTES} bytes long.")
    return values.cast(wanted).alias("value")
