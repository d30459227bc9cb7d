"""`datamate run` as a process of its own."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

MAIN = "from datamate.cli.start import main; main()"


@pytest.fixture
def recipe(tmp_path) -> Path:
    rows = [{"id": 0, "text": "one a@b.cd"}, {"id": 1, "text": "x"}, {"id": 2, "text": None}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = tmp_path / "recipe.yaml"
    path.write_text(
        f"dataset_path: {tmp_path}/in.jsonl\nexport_path: {tmp_path}/out.jsonl\n"
        "process:\n  - clean_email_mapper:\n  - text_length_filter:\n      min_len: 3\n"
    )
    return path


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", MAIN, "run", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_account_is_shown_when_a_run_succeeds(recipe, tmp_path):
    answer = run(recipe)
    assert answer.returncode == 0, answer.stderr
    words = answer.stdout.split()
    assert words[:8] == ["rows", "in", "3", "kept", "1", "dropped", "1", "quarantined"]
    assert "text_length_filter" in words
    assert f"{tmp_path}/out.jsonl" in words
    assert "100 %" in answer.stderr
    assert (tmp_path / "out.jsonl").read_text() == '{"id": 0, "text": "one "}\n'


def test_stdout_is_one_document_when_json_is_asked_for(recipe, tmp_path):
    answer = run(recipe, "--json", "--export-path", tmp_path / "other.parquet", "--np", 1)
    account = json.loads(answer.stdout)
    assert account["rows_in"] == account["kept"] + account["dropped"] + account["quarantined"] == 3
    assert account["export_path"] == f"{tmp_path}/other.parquet"
    assert (tmp_path / "other.parquet").exists()


def test_plan_is_shown_and_nothing_written_when_asked_to_explain(recipe, tmp_path):
    assert "text_length_filter v1" in run(recipe, "--explain").stdout
    assert len(json.loads(run(recipe, "--explain", "--json").stdout)["stages"]) == 1
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize(
    ("change", "arguments", "words"),
    [
        (("text_length_filter", "text_lenght_filter"), [], "process.1.text_lenght_filter: There is no operator"),
        (("min_len: 3", "min_len: many"), [], "process.1.min_len: text_length_filter: 'many' is not valid"),
        (("", ""), ["--dataset-path", "/nowhere.jsonl"], "/nowhere.jsonl cannot be read: No such file"),
        (("", ""), ["--np", "0"], "np: 0 is not allowed"),
        (("process:", "process: ["), [], "is not valid YAML at line"),
        (("", ""), ["--export-path", "out.pdf"], "neither .jsonl nor .parquet"),
        (("clean_email_mapper:", "clean_email_mapper: {text_key: body}"), [], "no column 'body'"),
    ],
)
def test_reason_is_on_stderr_when_a_run_fails(recipe, change, arguments, words):
    recipe.write_text(recipe.read_text().replace(*change, 1))
    answer = run(recipe, *arguments)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert words in answer.stderr
    assert "Traceback" not in answer.stderr


def test_usage_is_wrong_when_a_run_is_to_start_over_and_go_on(recipe):
    answer = run(recipe, "--overwrite", "--resume")
    assert answer.returncode == 2
    assert "choose one" in answer.stderr


def test_example_is_shown_when_help_is_asked_for():
    assert "datamate run recipe.yaml" in run("--help").stdout


def test_run_can_be_resumed_when_ctrl_c_stopped_it(recipe, tmp_path):
    with (tmp_path / "in.jsonl").open("w") as file:
        file.writelines(json.dumps({"id": n, "text": f"word {n} " + "and more " * 40}) + "\n" for n in range(30_000))
    recipe.write_text(recipe.read_text().replace("clean_email_mapper:", 'clean_email_mapper: {pattern: "w[a-z]+d"}'))
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "run", str(recipe), "--np", "1"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    journal = tmp_path / "out.jsonl.datamate-run" / "commits.jsonl"
    while not journal.exists() or journal.read_bytes().count(b"\n") < 3:
        assert process.poll() is None
        time.sleep(0.01)
    asked = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert time.monotonic() - asked < 1.0
    assert process.returncode == 130
    assert "add --resume to go on" in errors
    assert not (tmp_path / "out.jsonl").exists()
    account = json.loads(run(recipe, "--resume", "--json").stdout)
    assert account["partitions_reused"] >= 2
    assert account["kept"] == account["rows_in"] == 30_000
