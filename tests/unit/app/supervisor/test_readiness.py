"""A process that says it is ready is heard, and nobody can say it for another."""

import os
import socket
import subprocess
import sys

import pytest

from datamate.app.supervisor.readiness import ReadySocket, tell_ready

TELL = "from datamate.app.supervisor.readiness import tell_ready; tell_ready()"


@pytest.fixture
def ready():
    ready = ReadySocket()
    yield ready
    ready.close()


def test_process_is_heard_when_it_says_that_it_is_ready(ready):
    process = subprocess.Popen([sys.executable, "-c", TELL], env=os.environ | ready.environment)
    assert not ready.heard_from(process.pid)
    assert process.wait() == 0
    assert ready.heard_from(process.pid)
    assert ready.heard_from(process.pid)


def test_process_is_not_taken_for_another_when_it_speaks(ready, monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", ready.environment["NOTIFY_SOCKET"])
    tell_ready()
    assert not ready.heard_from(os.getppid())
    assert ready.heard_from(os.getpid())


def test_message_reaches_a_file_socket_when_systemd_made_one(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        tell_ready()
        assert receiver.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "/nonexistent/socket", "@nobody-listens-here"])
def test_nothing_happens_when_nobody_listens(monkeypatch, address):
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    tell_ready()
