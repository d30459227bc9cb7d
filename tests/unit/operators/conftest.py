"""Fixtures of the operators' tests."""

from collections.abc import Callable

import polars as pl
import pytest

from datamate.operators.evaluation import evaluate
from datamate.operators.registry import build_operator

Values = Callable[..., list]


@pytest.fixture(scope="session")
def values() -> Values:
    """Call it with an operator's name, texts and parameters; returns the values, and allows no failure."""

    def run(name: str, texts: list[str], **params: object) -> list:
        frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
        evaluation = evaluate(build_operator(name, params), frame)
        assert not evaluation.failures
        return evaluation.values.to_list()

    return run
