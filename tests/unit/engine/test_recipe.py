from pathlib import Path

import pytest

from datamate.engine.errors import RecipeError
from datamate.engine.recipe import OnError, Step, load_recipe, parse_recipe


def problems(text: str) -> dict[str, str]:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text)
    for error in caught.value.errors:
        assert error.field in caught.value.detail
        assert error.message in caught.value.detail
    return {error.field: error.message for error in caught.value.errors}


def test_recipe_of_data_juicer_is_read_when_it_has_settings_without_effect_here():
    recipe = parse_recipe(
        "project_name: p\ndataset_path: in.jsonl\nexport_path: out.jsonl\nnp: 4\ntext_keys: content\n"
        "open_tracer: true\nop_fusion: false\n"
        "process:\n  - clean_email_mapper:\n  - text_length_filter:\n      min_len: 5\n"
    )
    assert recipe.steps == (Step("clean_email_mapper", {}), Step("text_length_filter", {"min_len": 5}))
    assert (recipe.project_name, recipe.np, recipe.text_key) == ("p", 4, "content")
    assert (recipe.dataset_path, recipe.export_path) == ("in.jsonl", "out.jsonl")
    assert recipe.without_effect == ("op_fusion", "open_tracer")


def test_first_text_key_counts_when_there_are_several():
    assert parse_recipe("text_keys: [body, title]\nprocess: []").text_key == "body"


def test_policies_are_read_when_given():
    recipe = parse_recipe("on_error: skip\nmax_errors: 3\nprocess: []")
    assert (recipe.on_error, recipe.max_errors) == (OnError.SKIP, 3)


def test_all_problems_are_told_at_once_when_there_are_several():
    found = problems("np: 0\ntext_keys: 3\non_error: ignore\nmax_errors: -1\nexport_path: [a]\nprocess: []")
    assert set(found) == {"np", "text_keys", "on_error", "max_errors", "export_path"}
    assert "0 is not allowed" in found["np"]
    assert "1 to 512" in found["np"]
    assert "quarantine, skip, fail" in found["on_error"]


def test_near_name_is_suggested_when_a_key_is_misspelt():
    assert "did you mean dataset_path?" in problems("datset_path: x\nprocess: []")["datset_path"]


@pytest.mark.parametrize(
    ("process", "field"),
    [
        ("process: 3", "process"),
        ("process:\n  - a: {}\n    b: {}", "process.0"),
        ("process:\n  - ok:\n  - 3", "process.1"),
        ("process:\n  - ok:\n  - name: 7", "process.1.name"),
        ("np: 1", "process"),
    ],
)
def test_place_is_named_when_a_step_is_wrong(process, field):
    assert field in problems(process)


def test_line_is_named_when_it_is_no_yaml():
    with pytest.raises(RecipeError, match="line 2"):
        parse_recipe("process: []\n  np: [")


def test_key_written_twice_is_refused_when_yaml_would_keep_the_last():
    with pytest.raises(RecipeError, match="min_len is written twice"):
        parse_recipe("process:\n  - text_length_filter:\n      min_len: 1\n      min_len: 2\n")


@pytest.mark.parametrize("text", ["", "just words", "- a\n- b"])
def test_document_is_refused_when_it_is_no_mapping(text):
    with pytest.raises(RecipeError, match="holds no recipe"):
        parse_recipe(text)


def test_document_is_refused_when_it_would_grow_or_nest_without_bound():
    with pytest.raises(RecipeError, match="line 1: this is nested too deeply"):
        parse_recipe("process: " + "[" * 5000 + "]" * 5000)
    with pytest.raises(RecipeError, match=r"line 2: aliases \(\*a\) are not read"):
        parse_recipe("project_name: &a x\nprocess: [*a, *a]")


def test_overrides_replace_only_what_is_given_when_the_recipe_has_values():
    recipe = parse_recipe("dataset_path: a\nexport_path: b.jsonl\nnp: 2\nprocess: []")
    changed = recipe.with_overrides(export_path="c.jsonl", np=8)
    assert (changed.dataset_path, changed.export_path, changed.np) == ("a", "c.jsonl", 8)
    with pytest.raises(RecipeError, match="1 to 512"):
        recipe.with_overrides(np=0)


def test_file_is_named_when_it_cannot_be_read(tmp_path: Path):
    with pytest.raises(RecipeError, match=r"nowhere\.yaml cannot be read"):
        load_recipe(tmp_path / "nowhere.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"project_name: caf\xe9\n")
    with pytest.raises(RecipeError, match="not UTF-8"):
        load_recipe(tmp_path / "latin.yaml")
