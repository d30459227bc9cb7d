"""Checks of DATAMATE_HOME: what is open to others, who runs, and who has the port."""

import os
import socket

import pytest

from datamate.app.supervisor.diagnosis.check import Status
from datamate.app.supervisor.diagnosis.installation import installation_checks
from datamate.app.supervisor.home import Home
from datamate.app.supervisor.ports import free_port
from datamate.config.root import load_settings
from datamate.platform.embedded.secret_file import keep_secret


@pytest.fixture
def settings():
    settings = load_settings()
    port = free_port("127.0.0.1")
    return settings.model_copy(update={"gateway": settings.gateway.model_copy(update={"port": port})})


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "home")
    yield home
    home.release()


@pytest.fixture
def look(home, settings):
    return lambda: {check.name: check for check in installation_checks(home, settings)}


def test_nothing_is_wrong_when_nothing_is_installed_yet(look, home):
    checks = look()
    assert {check.status for check in checks.values()} == {Status.OK}
    assert "will be made" in checks["home"].detail
    assert not home.path.exists()


def test_holder_is_named_when_the_platform_runs(look, home):
    home.acquire()
    assert f"process id {os.getpid()}" in look()["supervisor"].detail


def test_start_that_never_completed_is_a_warning(look, home):
    home.acquire()
    home.release()
    assert look()["supervisor"].status == Status.WARN
    home.mark_installed()
    assert look()["supervisor"].status == Status.OK


def test_secret_is_a_failure_when_others_may_read_it(look, home):
    home.acquire()
    keep_secret(home.secrets / "jwt")
    assert look()["secrets"].status == Status.OK
    (home.secrets / "jwt").chmod(0o644)
    assert look()["secrets"].status == Status.FAIL
    assert str(home.secrets / "jwt") in look()["secrets"].way_out


def test_home_is_a_warning_when_others_may_write_to_it(look, home):
    home.acquire()
    home.path.chmod(0o777)
    assert look()["home"].status == Status.WARN
    assert "chmod go-w" in look()["home"].way_out


def test_owner_and_setting_are_named_when_the_port_is_taken(look, settings):
    with socket.create_server(("127.0.0.1", settings.gateway.port)):
        port = look()["port"]
    assert port.status == Status.FAIL
    assert f"process id {os.getpid()}" in port.detail
    assert "DATAMATE_GATEWAY__PORT" in port.detail
