"""Functions over whole Series inside Polars expressions, and work done only on the rows that need it."""

from collections.abc import Callable

import polars as pl

SeriesFunction = Callable[[pl.Series], pl.Series]


def elementwise(column: str, function: SeriesFunction, dtype: type[pl.DataType]) -> pl.Expr:
    """Return an expression that hands a column to `function`, which returns one value of type `dtype` for each row."""
    return pl.col(column).map_batches(function, return_dtype=dtype, is_elementwise=True)


def replace_where(values: pl.Series, mask: pl.Series, function: SeriesFunction) -> pl.Series:
    """Return `values` with `function` applied to the rows of the mask, gathered and scattered back.

    `when(mask).then(function)` would compute every row and throw most of the work away.
    """
    rows = mask.arg_true()
    if rows.is_empty():
        return values
    return values.clone().scatter(rows, function(values.gather(rows)))
