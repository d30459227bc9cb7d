"""The supervisor as a process of its own: signals, its own violent death, and users without rights."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

RUN_PLATFORM = Path(__file__).with_name("run_platform.py")
NOBODY = 65534
# `env` runs after the rights are gone; setpriv itself still enters any folder to run its program.
AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "env", "HOME=/nonexistent")


class Run:
    """A running `run_platform.py`."""

    def __init__(self, process: subprocess.Popen[str], home: Path) -> None:
        self.process = process
        self.home = home

    def wait_ready(self) -> dict:
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        return json.loads(line)

    def end(self, *signals: signal.Signals, seconds: float = 60) -> str:
        for number in signals:
            self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=seconds)
        return errors


@contextmanager
def running(home: Path, *, prefix: tuple[str, ...] = (), python: str = sys.executable) -> Iterator[Run]:
    environment = os.environ | {"DATAMATE_HOME": str(home), "DATAMATE_GATEWAY__PORT": "0"}
    environment |= {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        [*prefix, python, str(RUN_PLATFORM)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
    )
    try:
        yield Run(process, home)
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)


def ask(url: str) -> int:
    with urllib.request.urlopen(url, timeout=30) as response:
        return int(response.read())


def all_gone(pids: dict[str, int], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while any(Path(f"/proc/{pid}/cwd").exists() for pid in pids.values()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(Path(f"/proc/{pid}/cwd").exists() for pid in pids.values())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_all_processes_end_when_the_supervisor_is_asked_to_stop(home, number):
    with running(home) as run:
        pids = run.wait_ready()["process_ids"]
        run.end(number)
        assert run.process.returncode == 0
        assert all_gone(pids, seconds=0)
        assert not (home / "postgres/data/postmaster.pid").exists()


def test_start_is_undone_when_the_signal_comes_early(home):
    with running(home) as run:
        while not (home / "postgres").exists():
            time.sleep(0.005)
        run.end(signal.SIGINT)
    with running(home) as run:
        run.wait_ready()


def test_all_processes_end_and_a_new_start_works_when_the_supervisor_is_killed(home):
    with running(home) as run:
        started = run.wait_ready()
        rows = ask(started["url"])
        run.end(signal.SIGKILL)
        with running(home) as again:  # at once: the engines are still writing their last
            restarted = again.wait_ready()
            assert ask(restarted["url"]) > rows
            assert all_gone(started["process_ids"])


def test_new_start_works_when_everything_is_killed_at_once(home):
    with running(home) as run:
        started = run.wait_ready()
        rows = ask(started["url"])
        for pid in (run.process.pid, *started["process_ids"].values()):
            os.kill(pid, signal.SIGKILL)
        with running(home) as again:
            assert ask(again.wait_ready()["url"]) > rows


def test_new_start_works_when_the_supervisor_was_killed_making_the_database(home):
    with running(home) as run:
        while not (home / "postgres/data.tmp/base").exists():
            time.sleep(0.005)
        run.end(signal.SIGKILL)
    with running(home) as run:
        run.wait_ready()
    assert not (home / "postgres/data.tmp").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes accounts")
def test_engines_have_no_rights_when_root_starts_the_platform(home):
    with running(home) as run:
        pids = run.wait_ready()["process_ids"]
        for engine in ("postgres", "redis"):
            status = Path(f"/proc/{pids[engine]}/status").read_text()
            assert "Uid:\t0" not in status
            assert "CapEff:\t0000000000000000" in status
            assert "NoNewPrivs:\t1" in status
    assert stat.S_IMODE(home.parent.stat().st_mode) == 0o700


@pytest.fixture
def public_folder() -> Iterator[Path]:
    folder = Path("/tmp") / f"datamate-test-{os.getpid()}"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder)


def python_of_nobody() -> str | None:
    """Return an interpreter of this version that `nobody` may run, if any."""
    if shutil.which("setpriv") is None:
        return None
    candidates = (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}")
    return next((python for python in candidates if subprocess.call([*AS_NOBODY, python, "-c", ""]) == 0), None)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes accounts")
def test_platform_runs_when_nobody_starts_it(public_folder):
    python = python_of_nobody()
    if python is None:
        pytest.skip("nobody may run no Python of this version here")
    home = public_folder / "home"
    with running(home, prefix=AS_NOBODY, python=python) as run:
        started = run.wait_ready()
        assert ask(started["url"]) > 0
        assert {path.stat().st_uid for path in home.rglob("*")} == {NOBODY}
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        run.end(signal.SIGKILL)
        assert all_gone(started["process_ids"])
        with running(home, prefix=AS_NOBODY, python=python) as again:
            again.wait_ready()
