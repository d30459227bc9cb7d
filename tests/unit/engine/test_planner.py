import json

import pytest

from datamate.engine.errors import MissingColumnError, RecipeError, UnreadableInputError
from datamate.engine.inputs import discover_inputs
from datamate.engine.planner import plan_recipe
from datamate.engine.recipe import parse_recipe

KEY = {"input_identity": "i", "output_format": ".jsonl", "on_error": "quarantine"}


def plan(process: str, files=(), extra: str = ""):
    return plan_recipe(parse_recipe(f"process: {process}\n{extra}"), files)


def test_place_and_near_name_are_told_when_an_operator_is_unknown():
    with pytest.raises(RecipeError) as caught:
        plan("[clean_email_mapper, text_lenght_filter]")
    (error,) = caught.value.errors
    assert error.field == "process.1.text_lenght_filter"
    assert "did you mean text_length_filter" in error.message


def test_place_value_and_range_are_told_when_a_parameter_does_not_fit():
    with pytest.raises(RecipeError) as caught:
        plan("[{alphanumeric_filter: {min_ratio: 7}}, {text_length_filter: {min_len: x, maxlen: 3}}]")
    found = {error.field: error.message for error in caught.value.errors}
    assert set(found) == {"process.0.min_ratio", "process.1.min_len", "process.1.maxlen"}
    assert "7 is not valid" in found["process.0.min_ratio"]
    assert "did you mean max_len?" in found["process.1.maxlen"]


def test_stages_end_at_deduplicators_when_there_are_some():
    stages = plan("[clean_email_mapper, document_deduplicator, document_deduplicator, text_length_filter]").stages
    assert [[operator.name for operator in stage.operators] for stage in stages] == [
        ["clean_email_mapper", "document_deduplicator"],
        ["document_deduplicator"],
        ["text_length_filter"],
    ]
    assert [stage.barrier for stage in stages] == [True, True, False]
    labels = [operator.label for stage in stages for operator in stage.operators]
    assert labels[1:3] == ["document_deduplicator", "document_deduplicator#2"]


def test_stage_without_operators_follows_when_a_deduplicator_is_last():
    assert [len(stage.operators) for stage in plan("[document_deduplicator]").stages] == [1, 0]


def test_text_column_of_the_recipe_holds_when_an_operator_names_none():
    found = plan("[clean_email_mapper, {text_length_filter: {text_key: title}}]", extra="text_keys: [body, x]")
    assert [operator.reads for operator in found.operators] == [("body",), ("title",)]
    assert found.columns == ("body", "title")


def test_key_changes_when_anything_does_that_the_result_depends_on():
    keys = {
        plan("[text_length_filter]").key(**KEY),
        plan("[{text_length_filter: {min_len: 11}}]").key(**KEY),
        plan("[text_length_filter, clean_email_mapper]").key(**KEY),
        plan("[text_length_filter]").key(**{**KEY, "input_identity": "j"}),
        plan("[text_length_filter]").key(**{**KEY, "output_format": ".parquet"}),
        plan("[text_length_filter]").key(**{**KEY, "on_error": "skip"}),
    }
    assert len(keys) == 6
    assert plan("[{text_length_filter: {min_len: 10}}]").key(**KEY) in keys


def test_columns_are_told_when_the_sample_lacks_the_one_wanted(write_rows):
    files = discover_inputs(str(write_rows([{"body": "x", "n": 1}, b"not json"])))
    with pytest.raises(MissingColumnError) as caught:
        plan("[clean_email_mapper, {text_length_filter: {text_key: n}}]", files)
    found = {error.field: error.message for error in caught.value.errors}
    assert found["process.0.text_key"] == "the data has no column 'text'; its columns are: body, n"
    assert found["process.1.text_key"] == "column 'n' holds number, not text"


def test_plan_is_made_when_no_row_of_the_sample_can_be_read(write_rows):
    assert plan("[clean_email_mapper]", discover_inputs(str(write_rows([b"nope", b"{"])))).columns == ("text",)


@pytest.mark.parametrize("text", ['[\n  {"text": "a"}\n]\n', '[{"text": "a"}]', '\ufeff[{"text":\n"a"}]'])
def test_way_out_is_told_when_a_file_is_one_json_array(tmp_path, text):
    path = tmp_path / "rows.json"
    path.write_text(text)
    with pytest.raises(UnreadableInputError, match="jq -c"):
        plan("[clean_email_mapper]", discover_inputs(str(path)))


def test_plan_is_described_in_words_and_json_when_asked():
    found = plan("[{text_length_filter: {min_len: 3}}, document_deduplicator]")
    text = found.describe(partitions=2)
    assert "text_length_filter v1" in text
    assert '"min_len": 3' in text
    assert "barrier" in text
    assert json.loads(json.dumps(found.to_json()))["stages"][0]["barrier"] is True
