"""`datamate serve` and `datamate worker`: wrong usage, wrong configuration, help without the server's imports."""

import subprocess
import sys

import pytest

from datamate.cli.main import root
from datamate.cli.process import run_to_exit_code
from datamate.config.root import known_variables

HEAVY = {"fastapi", "sqlalchemy", "alembic", "polars", "aiohttp", "redis"}


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in known_variables():
        monkeypatch.delenv(name, raising=False)


def test_error_lists_the_services_when_the_name_is_unknown(capsys):
    assert run_to_exit_code(root, ["serve", "mian"]) == 2
    error = capsys.readouterr().err
    assert all(name in error for name in ("all", "gateway", "main", "data_management", "runtime"))


@pytest.mark.parametrize("arguments", [["serve", "main"], ["serve", "all"], ["worker"]])
def test_one_message_and_exit_code_2_when_an_address_is_missing(arguments):
    command = [sys.executable, "-m", "datamate", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith("Error: DATAMATE_")
    assert "is missing: set it to" in ended.stderr


@pytest.mark.parametrize("name", ["serve", "worker", "migrate"])
def test_help_has_an_example_and_loads_no_server(name):
    program = (
        "import sys; from datamate.cli.main import root; from datamate.cli.process import run_to_exit_code;"
        f"run_to_exit_code(root, ['{name}', '--help']);"
        f"print(*({HEAVY} & set(sys.modules)), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert f"datamate {name}" in ended.stdout.partition("Example")[2]
    assert ended.stderr.strip() == ""
