"""Every operator gives what Data-Juicer 1.6.1 gave, recorded by tests/bench/make_golden.py."""

import json
from pathlib import Path

import pytest

from bench.compare_operators import replay
from datamate.operators.registry import operator_names

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text("utf-8"))
LABELS = [f"{case['operator']} {case['params']}" for case in GOLDEN["cases"]]


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=LABELS)
def test_operator_gives_the_recorded_result_when_the_text_is_hostile(case):
    values, keep = replay(case, GOLDEN["texts"])

    assert values == case["values"]
    assert keep == case["keep"]


def test_every_operator_is_recorded_when_it_is_registered():
    assert {case["operator"] for case in GOLDEN["cases"]} == set(operator_names())


def test_the_record_tells_operators_apart_when_they_do_nothing():
    for case in GOLDEN["cases"]:
        assert case["values"] != GOLDEN["texts"], case["operator"]
        assert case["keep"] is None or 0 < sum(case["keep"]) < len(case["keep"]), case["operator"]
