import subprocess
import sys

import pytest

from datamate.operators.base import check_contract
from datamate.operators.errors import InvalidParamsError, UnknownOperatorError
from datamate.operators.registry import (
    build_operator,
    describe,
    get_operator_type,
    operator_names,
    operator_types,
)


def test_operator_keeps_its_contract_when_registered():
    assert len(operator_types()) == len(operator_names()) == 15
    for name, operator_type in zip(operator_names(), operator_types(), strict=True):
        check_contract(operator_type)
        assert operator_type.spec.name == name
        assert operator_type.spec.summary
        assert operator_type.__doc__


def test_operator_names_are_sorted_when_listed():
    assert list(operator_names()) == sorted(operator_names())


def test_nearest_names_are_suggested_when_the_name_is_unknown():
    with pytest.raises(UnknownOperatorError, match="no operator 'clean_link_mapper'; did you mean clean_links_mapper"):
        get_operator_type("clean_link_mapper")


def test_the_list_is_pointed_to_when_no_name_is_near():
    with pytest.raises(UnknownOperatorError, match="datamate operators list"):
        get_operator_type("zzz")


def test_defaults_hold_when_the_recipe_gives_no_parameters():
    assert build_operator("text_length_filter").params.bounds == (10, sys.maxsize)


def test_parameters_of_data_juicers_execution_are_accepted_when_the_recipe_has_them():
    operator = build_operator("text_length_filter", {"min_len": 3, "num_proc": 4, "batch_size": 100})

    assert operator.params.bounds == (3, sys.maxsize)


@pytest.mark.parametrize(
    ("name", "params", "field", "message"),
    [
        ("special_characters_filter", {"max_ratio": 2}, "max_ratio", r"2 is not valid \(allowed: 0 to 1\)"),
        ("text_length_filter", {"min_len": "many"}, "min_len", "'many' is not valid"),
        ("text_length_filter", {"min_lenn": 3}, "min_lenn", "no such parameter; did you mean min_len"),
        ("text_length_filter", {"zzz": 3}, "zzz", "the parameters are: text_key"),
        ("text_length_filter", {"min_len": 9, "max_len": 3}, "", r"min_len \(9\) is above max_len \(3\)"),
        ("alphanumeric_filter", {"tokenization": True}, "tokenization", "downloaded"),
        ("fix_unicode_mapper", {"normalization": "NFX"}, "normalization", "'NFC', 'NFKC', 'NFD' or 'NFKD'"),
        ("clean_ip_mapper", {"pattern": "("}, "pattern", "not a regular expression"),
        ("clean_ip_mapper", {"text_key": ""}, "text_key", "at least 1 character"),
        ("character_repetition_filter", {"rep_len": 0}, "rep_len", r"allowed: 1 to 1000"),
    ],
)
def test_error_names_the_parameter_when_it_is_wrong(name, params, field, message):
    with pytest.raises(InvalidParamsError, match=message) as caught:
        build_operator(name, params)

    assert [error.field for error in caught.value.errors] == [field]
    assert str(caught.value).startswith(f"{name}: ")


def test_every_wrong_parameter_is_named_when_there_are_several():
    with pytest.raises(InvalidParamsError) as caught:
        build_operator("text_length_filter", {"min_len": -1, "max_len": "x", "typo": 1})

    assert {error.field for error in caught.value.errors} == {"min_len", "max_len", "typo"}


def test_description_has_types_defaults_and_bounds_when_asked_for():
    description = describe("word_repetition_filter")
    parameters = {parameter.name: parameter for parameter in description.parameters}

    assert (description.kind, description.version) == ("filter", 1)
    assert "n-gram" in description.documentation
    rep_len = parameters["rep_len"]
    assert (rep_len.type, rep_len.default, rep_len.minimum, rep_len.maximum) == ("int", 10, 1, 1000)
    assert all(parameter.description for parameter in parameters.values())


def test_every_parameter_is_described_when_registered():
    for name in operator_names():
        assert all(parameter.description and parameter.type for parameter in describe(name).parameters), name


def test_heavy_libraries_stay_out_when_the_recipe_does_not_need_them():
    code = (
        "import sys, polars as pl\n"
        "from datamate.operators.registry import build_operator\n"
        "from datamate.operators.evaluation import evaluate\n"
        "names = ['clean_email_mapper', 'clean_links_mapper', 'clean_ip_mapper', 'whitespace_normalization_mapper',\n"
        "  'text_length_filter', 'alphanumeric_filter', 'special_characters_filter', 'average_line_length_filter',\n"
        "  'maximum_line_length_filter', 'document_deduplicator']\n"
        "frame = pl.DataFrame({'text': ['see http://a.bc/d, 1.2.3.4 and a@b.cd \\u00e9\\u3000\\u2028x']})\n"
        "[evaluate(build_operator(name), frame) for name in names]\n"
        "print([name for name in ('numpy', 'pyarrow', 'regex', 'ftfy', 'selectolax') if name in sys.modules])"
    )

    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert finished.stdout.strip() == "[]"
