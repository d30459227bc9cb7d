"""The supervisor stays small: it never loads what only its children need."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["datamate.app.supervisor.platform", "datamate.cli.up", "datamate.cli.doctor"])
def test_no_server_library_is_loaded_when_the_supervisor_is_imported(module):
    script = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"fastapi", "starlette", "sqlalchemy", "asyncpg", "polars", "pyarrow", "redis", "aiohttp", "uvicorn", "ray"}
    assert not heavy & set(loaded)
