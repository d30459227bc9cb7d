"""Checks of the machine: Python, packages, the engines' programs, disk and memory."""

import importlib.metadata
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from datamate.app.supervisor.diagnosis.check import Check, fail, ok, warn
from datamate.app.supervisor.home import Home
from datamate.config.root import Settings
from datamate.core.errors import DatamateError
from datamate.platform.embedded.account import account_for
from datamate.platform.embedded.binaries import postgres_programs, redis_program

_OLDEST_PYTHON = (3, 11)
_FIRST_UNKNOWN_PYTHON = (3, 13)
_GIBIBYTE = 1 << 30
_FULL_DISK_BYTES = _GIBIBYTE // 2
_SMALL_DISK_BYTES = 5 * _GIBIBYTE
_SMALL_MEMORY_BYTES = _GIBIBYTE  # Source: the platform's own goal of 600 MB, and as much again for a run


def machine_checks(home: Home, settings: Settings) -> list[Check]:
    """Return what is found about the machine."""
    checks = [_python(), _packages()]
    if settings.database.url is None:
        checks.append(_program("postgres program", lambda: _postgres(home)))
    if settings.redis.url is None:
        checks.append(_program("redis program", lambda: redis_program(account_for(home.path / "redis/data"))))
    return [*checks, _disk(home), *_memory()]


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if _OLDEST_PYTHON <= sys.version_info[:2] < _FIRST_UNKNOWN_PYTHON:
        return ok("python", f"{version} ({sys.executable})")
    return fail("python", f"{version} is not supported.", "Install DataMate under Python 3.11 or 3.12.")


def _packages() -> Check:
    try:
        requirements = importlib.metadata.requires("datamate") or []
    except importlib.metadata.PackageNotFoundError:
        return warn("packages", "DataMate runs from a folder of sources.", "Install it with `pip install datamate`.")
    names = [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in requirements if "extra ==" not in line]
    missing = [name for name in names if not _is_installed(name)]
    if missing:
        command = f"{sys.executable} -m pip install {' '.join(missing)}"
        return fail("packages", f"Missing: {', '.join(missing)}.", f"Install them: {command}")
    return ok("packages", f"all {len(names)} are installed")


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _postgres(home: Home) -> Path:
    return postgres_programs(account_for(home.path / "postgres/data")) / "postgres"


def _program(name: str, find: Callable[[], Path]) -> Check:
    """Find a program and run it once: a wheel for another kind of machine is noticed only then."""
    try:
        program = find()
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except DatamateError as error:
        return fail(name, error.detail)
    except (OSError, subprocess.SubprocessError) as error:
        return fail(name, f"It does not run: {error}.", "Install the wheel for this machine again.")
    return ok(name, f"{answer.stdout.strip()} ({program})")


def _disk(home: Home) -> Check:
    folder = next(path for path in (home.path, *home.path.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    detail = f"{free / _GIBIBYTE:.1f} GiB free in {folder}"
    way_out = "Free some space, or move DATAMATE_HOME to a larger disk."
    if free < _FULL_DISK_BYTES:
        return fail("disk space", detail, way_out)
    return warn("disk space", detail, way_out) if free < _SMALL_DISK_BYTES else ok("disk space", detail)


def _memory() -> list[Check]:
    """Return what Linux says about memory; nothing elsewhere."""
    try:
        text = Path("/proc/meminfo").read_text("ascii")
    except OSError:
        return []
    match = re.search(r"^MemAvailable:\s+(\d+) kB$", text, re.MULTILINE)
    if match is None:
        return []
    available = int(match[1]) << 10
    detail = f"{available / _GIBIBYTE:.1f} GiB available"
    if available < _SMALL_MEMORY_BYTES:
        return [warn("memory", detail, "Runs may be slow or be killed; close other programs.")]
    return [ok("memory", detail)]
