"""The root command: its table, its help and what it costs."""

import importlib
import json
import subprocess
import sys

import click
import pytest

from datamate import __version__
from datamate.cli.main import COMMANDS, root


def run_datamate(*arguments: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *options, "-m", "datamate", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def leaf_commands(command: click.Command, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], click.Command]]:
    found = [(path, command)]
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            found += leaf_commands(child, (*path, name))
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_has_an_example_when_command_is_listed(name):
    command = importlib.import_module(COMMANDS[name].module).command
    for path, child in leaf_commands(command, ("datamate", name)):
        context = click.Context(child, info_name=" ".join(path))
        text = child.get_help(context)
        assert "Example" in text, path
        assert " ".join(path[:2]) in text, path


def test_version_is_shown_when_asked():
    done = run_datamate("--version")
    assert (done.returncode, done.stdout) == (0, f"datamate {__version__}\n")


def test_near_names_are_shown_when_command_is_unknown():
    done = run_datamate("datasetz")
    assert done.returncode == 2
    assert "datasets" in done.stderr


def test_commands_are_in_order_of_table_when_help_is_shown():
    context = click.Context(root, info_name="datamate")
    listed = root.get_help(context).partition("Commands:")[2]
    places = [listed.index(f"\n  {name} ") for name in COMMANDS]
    assert places == sorted(places)


def test_help_loads_no_command_when_shown():
    done = run_datamate("--help", options=("-X", "importtime"))
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert done.returncode == 0
    ours = {name for name in loaded if name.startswith("datamate")}
    assert ours == {
        "datamate", "datamate.cli", "datamate.cli.main", "datamate.cli.lazy_group", "datamate.cli.process",
        "datamate.core", "datamate.core.errors",
    }  # fmt: skip
    assert not {"asyncio", "pydantic", "rich", "aiohttp", "polars"} & loaded


def test_client_loads_no_server_when_imported():
    program = "import sys, json, datamate; datamate.Client; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert not {"fastapi", "sqlalchemy", "starlette", "redis", "uvicorn", "polars", "structlog"} & loaded


def test_package_stays_light_when_client_is_not_used():
    program = "import sys, datamate; print(any(name.startswith('datamate.') for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False\n"


def test_local_run_loads_neither_client_nor_server_when_run(tmp_path):
    (tmp_path / "in.jsonl").write_text('{"text": "some words"}\n')
    (tmp_path / "recipe.yaml").write_text(
        f"dataset_path: {tmp_path}/in.jsonl\nexport_path: {tmp_path}/out.jsonl\nprocess:\n  - text_length_filter:\n"
    )
    done = run_datamate("run", str(tmp_path / "recipe.yaml"), options=("-X", "importtime"))
    assert done.returncode == 0, done.stderr
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not {name for name in loaded if name.startswith(("datamate.sdk", "datamate.services", "datamate.platform"))}
    assert not {"aiohttp", "fastapi", "sqlalchemy", "redis", "rich", "starlette"} & loaded
