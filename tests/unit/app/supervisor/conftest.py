"""Small real processes for the supervisor to supervise, and somebody who writes down what it says."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from datamate.app.supervisor.platform import Platform
from datamate.app.supervisor.spec import ChildSpec, RestartPolicy
from datamate.config.root import Settings

MakeSpec = Callable[..., ChildSpec]


@dataclass
class Recorder:
    """A reporter that remembers."""

    events: list[tuple[str, str]] = field(default_factory=list)

    def starting(self, name: str, what: str) -> None:
        self.events.append(("starting", f"{name}: {what}"))

    def ready(self, name: str, seconds: float) -> None:
        self.events.append(("ready", name))

    def finished(self, name: str, seconds: float) -> None:
        self.events.append(("finished", name))

    def note(self, text: str) -> None:
        self.events.append(("note", text))

    @property
    def notes(self) -> str:
        return "\n".join(text for kind, text in self.events if kind == "note")


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


@pytest.fixture
def make_spec(tmp_path: Path) -> MakeSpec:
    """Return a maker of specs whose process runs a Python script."""

    def make(name: str, script: str, **options) -> ChildSpec:
        path = tmp_path / f"{name}.py"
        path.write_text(f"import os, pathlib, signal, subprocess, sys, time\n{script}\n")
        defaults = {"environment": dict(os.environ), "folder": tmp_path, "lock": tmp_path / f"{name}.lock"}
        return ChildSpec(name=name, argv=(sys.executable, "-I", "-S", str(path)), **(defaults | options))

    return make


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch):
    for name in [name for name in os.environ if name.startswith("DATAMATE_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def make_platform(recorder: Recorder) -> Callable[[Settings], Platform]:
    """Return a maker of platforms on real engines, with small stand-ins for the server and the workers."""
    program = (sys.executable, str(Path(__file__).with_name("stand_in.py")))
    policy = RestartPolicy(first_seconds=0.02)
    return lambda settings: Platform(settings, reporter=recorder, policy=policy, program=program)
