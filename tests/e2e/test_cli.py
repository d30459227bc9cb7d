"""The command line against a running DataMate, as a process of its own."""

import json
import os
import secrets
import signal
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from datamate.sdk.credentials import CredentialsFile
from e2e.topologies import DATAMATE, Site

RECIPE = "process:\n  - whitespace_normalization_mapper:\n  - text_length_filter:\n      min_len: 10\n"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    return {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config")}


@pytest.fixture
def datamate(environment, tmp_path) -> Run:
    """Runs a command to its end."""

    def run(*arguments: str, stdin: str = "", code: int | None = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*DATAMATE, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=environment,
            cwd=tmp_path,
            timeout=90,
            check=False,
        )
        assert code is None or done.returncode == code, done.stderr
        return done

    return run


@pytest.fixture
def signed_in(site: Site, datamate: Run) -> Run:
    datamate("login", "--url", site.url, "--username", site.username, "--password-stdin", stdin=f"{site.password}\n")
    return datamate


@pytest.fixture
def name() -> str:
    return f"cli-{secrets.token_hex(4)}"


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    rows = ['{"text": "a line that is long enough"}', '{"text": "short"}', '{"text": '] * 10
    (folder / "rows.jsonl").write_text("\n".join(rows) + "\n")
    return folder


def test_sign_in_is_kept_privately_when_logged_in(site, signed_in, tmp_path):
    file = tmp_path / "config/datamate/credentials.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert site.password not in file.read_text()
    assert CredentialsFile(file).find().username == site.username
    assert json.loads(signed_in("users", "show", "--json").stdout)["username"] == site.username
    signed_in("logout")
    assert CredentialsFile(file).find() is None


def test_message_is_plain_when_login_fails(site, datamate, unused_tcp_port):
    wrong = datamate("login", "--url", site.url, "--username", "admin", "--password-stdin", stdin="wrong\n", code=1)
    assert wrong.stderr.startswith("Error: ")
    assert "Traceback" not in wrong.stderr
    nobody = f"http://127.0.0.1:{unused_tcp_port}"
    away = datamate("login", "--url", nobody, "--username", "admin", "--password-stdin", stdin="x\n", code=1)
    assert "Is the server running" in away.stderr
    datamate("login", "--url", "localhost", "--username", "admin", "--password-stdin", stdin="x\n", code=1)
    datamate("login", "--url", site.url, "--username", "admin", "--password-stdin", code=2)


def test_way_in_is_named_when_not_signed_in(datamate):
    for command in (["datasets", "list"], ["runs", "list"], ["tasks", "list"], ["users", "list"]):
        assert "datamate login" in datamate(*command, code=1).stderr


def test_operators_are_those_of_this_installation_when_not_signed_in(datamate, signed_in):
    listed = signed_in("operators", "list", "--json")
    signed_in("logout")
    local = datamate("operators", "list", "--json")
    assert json.loads(local.stdout) == json.loads(listed.stdout)
    assert "this installation" in local.stderr
    assert "min_len" in datamate("operators", "show", "text_length_filter").stdout
    assert "text_length_filter" in datamate("operators", "show", "text_lenght_filter", code=1).stderr


def test_folder_goes_round_when_every_command_is_used(signed_in, name, folder, tmp_path):
    made = json.loads(signed_in("datasets", "create", name, "--tag", name, "--json").stdout)
    assert made["name"] == name
    version = json.loads(signed_in("datasets", "upload", name, str(folder), "--message", "m", "--json").stdout)
    assert (version["version"], version["message"]) == (1, "m")
    assert "Nothing to send" in signed_in("datasets", "upload", name, str(folder)).stdout
    [listed] = json.loads(signed_in("datasets", "list", "--tag", name, "--json").stdout)
    assert (listed["id"], listed["file_count"]) == (made["id"], 1)
    [file] = json.loads(signed_in("datasets", "files", made["id"], "--json").stdout)
    assert file["path"] == "rows.jsonl"
    fetched = json.loads(signed_in("datasets", "download", name, "out", "--json").stdout)
    assert fetched["fetched"] == 1
    assert (tmp_path / "out/rows.jsonl").read_bytes() == (folder / "rows.jsonl").read_bytes()
    for command in (["versions"], ["files"], ["show"], ["lineage"]):
        assert signed_in("datasets", *command, name)
    signed_in("datasets", "delete", name, "--yes")
    assert "There is no dataset" in signed_in("datasets", "show", name, code=1).stderr


def test_run_is_started_followed_and_read_when_recipe_is_right(signed_in, name, folder, tmp_path):
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    signed_in("datasets", "create", name)
    signed_in("datasets", "upload", name, str(folder))
    arguments = ["--dataset", name, "--output-name", f"{name}-clean"]
    watched = signed_in("runs", "create", "recipe.yaml", *arguments, "--watch", "--json")
    states = [json.loads(line) for line in watched.stdout.splitlines()]
    assert states[-1]["status"] == "succeeded"
    run = states[-1]["id"]
    shown = json.loads(signed_in("runs", "show", run, "--json").stdout)["summary"]
    assert (shown["rows_in"], shown["kept"], shown["dropped"], shown["quarantined"]) == (30, 10, 10, 10)
    assert len(json.loads(signed_in("runs", "quarantine", run, "--json").stdout)) == 10
    assert len(json.loads(signed_in("runs", "dropped", run, "--limit", "3", "--json").stdout)) == 3
    assert [item["id"] for item in json.loads(signed_in("runs", "list", "--dataset", name, "--json").stdout)] == [run]
    task = json.loads(signed_in("tasks", "show", shown and states[-1]["task_id"], "--json").stdout)
    assert task["status"] == "succeeded"
    assert f"{name}-clean version 1" in signed_in("datasets", "lineage", f"{name}-clean").stdout
    for command in (["runs", "show", run], ["runs", "watch", run], ["tasks", "watch", task["id"]]):
        assert "succeeded" in signed_in(*command).stdout


def test_place_is_named_when_recipe_is_wrong(signed_in, name, folder, tmp_path):
    (tmp_path / "recipe.yaml").write_text("process:\n  - text_length_filter:\n      min_len: -1\n")
    signed_in("datasets", "create", name)
    signed_in("datasets", "upload", name, str(folder))
    refused = signed_in("runs", "create", "recipe.yaml", "--dataset", name, code=1)
    assert "min_len" in refused.stderr
    assert refused.stdout == ""


def test_user_is_made_when_administrator_asks(signed_in, name):
    created = signed_in("users", "create", name, "--password-stdin", "--json", stdin="twelve characters and more\n")
    assert json.loads(created.stdout)["role"] == "VIEWER"
    assert name in signed_in("users", "list").stdout
    short = signed_in("users", "create", f"{name}2", "--password-stdin", stdin="short\n", code=1)
    assert "password" in short.stderr


def test_process_ends_with_130_when_interrupted(signed_in, environment, name, tmp_path):
    big = tmp_path / "big"
    big.mkdir()
    for number in range(3_000):
        (big / f"{number}.txt").write_text(str(number))
    signed_in("datasets", "create", name)
    command = [*DATAMATE, "datasets", "upload", name, str(big)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Interrupted." in errors
    assert "Traceback" not in errors
    assert json.loads(signed_in("datasets", "show", name, "--json").stdout)["version"] == 0
