from typing import ClassVar

import polars as pl
import pytest
from pydantic import ValidationError

from datamate.operators.base import Filter, FilterParams, Mapper, OperatorKind, Params, Spec, check_contract
from datamate.operators.errors import OperatorContractError


class SizeParams(FilterParams):
    bound_fields: ClassVar[tuple[str, str]] = ("min_size", "max_size")

    min_size: int = 2
    max_size: int = 4


class Size(Filter[SizeParams]):
    spec = Spec(name="size", version=1, kind=OperatorKind.FILTER, summary="")
    params_type = SizeParams
    metric_name = "size"

    def expr(self):
        return pl.col(self.params.text_key).str.len_chars()


@pytest.mark.parametrize(
    ("params", "kept"),
    [
        ({}, [False, True, True, True, False]),
        ({"min_closed_interval": False}, [False, False, True, True, False]),
        ({"max_closed_interval": False}, [False, True, True, False, False]),
        ({"reversed_range": True}, [True, True, False, True, True]),
        ({"reversed_range": True, "min_closed_interval": False}, [True, False, False, True, True]),
    ],
)
def test_filter_keeps_its_interval_when_the_ends_are_open_or_closed(params, kept):
    metrics = pl.Series([1.0, 2.0, 3.0, 4.0, 5.0])

    assert Size(SizeParams(**params)).keep(metrics).to_list() == kept


def test_filter_keeps_null_undecided_when_a_row_failed():
    assert Size(SizeParams()).keep(pl.Series([None, 3.0])).to_list() == [None, True]


@pytest.mark.parametrize(
    ("params", "metric", "reason"),
    [
        ({}, 1.0, "size is below min_size 2"),
        ({}, 5.0, "size is above max_size 4"),
        ({"min_closed_interval": False}, 2.0, "size is not above min_size 2"),
        ({"max_closed_interval": False}, 4.0, "size is not below max_size 4"),
        ({"reversed_range": True}, 3.0, "size is within min_size 2 and max_size 4"),
    ],
)
def test_filter_says_which_bound_a_row_broke_when_it_is_dropped(params, metric, reason):
    operator = Size(SizeParams(**params))
    metrics = pl.Series([metric])

    assert operator.keep(metrics).to_list() == [False]
    assert operator.reasons(metrics).to_list() == [reason]


def test_filter_params_are_refused_when_the_minimum_is_above_the_maximum():
    with pytest.raises(ValidationError, match=r"min_size \(9\) is above max_size \(4\)"):
        SizeParams(min_size=9)


def test_params_cannot_change_when_built():
    with pytest.raises(ValidationError, match="frozen"):
        SizeParams().min_size = 3


def test_columns_follow_the_parameters_when_the_text_is_elsewhere():
    class Upper(Mapper[Params]):
        spec = Spec(name="upper", version=1, kind=OperatorKind.MAPPER, summary="", writes=("text_key",))
        params_type = Params

    operator = Upper(Params(text_key="body"))

    assert operator.columns_read == ("body",)
    assert operator.columns_written == ("body",)


def test_contract_is_kept_when_an_operator_declares_everything():
    check_contract(Size)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": OperatorKind.MAPPER}, "does not derive from Mapper"),
        ({"reads": ("image_key",)}, "image_key"),
        ({"writes": ("image_key",)}, "image_key"),
    ],
)
def test_contract_is_broken_when_the_spec_does_not_fit_the_class(changes, message):
    declared = {"name": "odd", "version": 1, "kind": OperatorKind.FILTER, "summary": ""} | changes

    class Odd(Size):
        spec = Spec(**declared)

    with pytest.raises(OperatorContractError, match=message):
        check_contract(Odd)


def test_contract_is_broken_when_there_is_no_entry_point():
    class Nothing(Filter[SizeParams]):
        spec = Size.spec
        params_type = SizeParams

    with pytest.raises(OperatorContractError, match="none of expr, process and execute"):
        check_contract(Nothing)
