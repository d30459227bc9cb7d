"""What each process imports decides how soon it starts, and whether it may be forked."""

import json
import subprocess
import sys

COORDINATOR = "datamate.engine.run, datamate.engine.recipe, datamate.cli.run"
SERVER = ("fastapi", "starlette", "sqlalchemy", "redis", "uvicorn", "aiohttp", "asyncpg")
HEAVY = ("polars", "numpy", "pyarrow", "pydantic", "regex", "asyncio")


def run(code: str) -> object:
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return json.loads(answer.stdout)


def loaded(modules: str) -> set[str]:
    names = run(f"import {modules}\nimport sys, json\nprint(json.dumps(list(sys.modules)))")
    return {name.partition(".")[0] for name in names}


def test_coordinator_imports_nothing_heavy_when_it_starts():
    assert not loaded(COORDINATOR).intersection(HEAVY + SERVER)


def test_worker_imports_no_server_when_it_starts():
    assert not loaded("datamate.engine.local.worker").intersection((*SERVER, "pyarrow", "numpy", "regex"))


def test_command_imports_no_server_when_it_runs():
    assert not loaded("datamate.cli.local_run").intersection(SERVER)


def test_host_may_fork_when_all_operators_are_imported():
    code = """
import json, pathlib
from datamate.engine.local.host import _ENVIRONMENT
import os
os.environ.update(_ENVIRONMENT)
from datamate.engine.local.worker import import_operators
from datamate.operators.registry import operator_names
import_operators(operator_names())
names = [(task / "comm").read_text().strip() for task in pathlib.Path("/proc/self/task").iterdir()]
print(json.dumps(names))
"""
    # Polars' pool is called polars-0, polars-1 …; its cleaner of spilled data sleeps until something is spilled.
    assert set(run(code)) <= {"python", "python3", "python3.11", "python3.12", "polars-ooc-clea"}
