"""A port that is taken is told with its owner and the setting that changes it."""

import os
import socket

import pytest

from datamate.app.supervisor.errors import PortInUseError
from datamate.app.supervisor.ports import free_port, listens, port_owner, require_free


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_error_names_port_owner_and_setting_when_the_port_is_taken(taken):
    with pytest.raises(PortInUseError) as caught:
        require_free("127.0.0.1", taken, setting="DATAMATE_GATEWAY__PORT")
    message = str(caught.value)
    assert f"Port {taken} of 127.0.0.1 is in use by" in message
    assert f"(process id {os.getpid()})" in message
    assert "DATAMATE_GATEWAY__PORT" in message


def test_port_is_taken_when_another_address_of_it_is_asked_for(taken):
    with pytest.raises(PortInUseError):
        require_free("0.0.0.0", taken, setting="X")


def test_nothing_is_said_when_the_port_is_free():
    port = free_port("127.0.0.1")
    require_free("127.0.0.1", port, setting="X")
    require_free("127.0.0.1", 0, setting="X")
    assert port_owner(port) is None


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_error_names_the_address_when_it_is_not_ours(host):
    with pytest.raises(PortInUseError, match=f"Cannot listen on port 8080 of {host}"):
        require_free(host, 8080, setting="DATAMATE_GATEWAY__PORT")


def test_listener_is_told_from_others_when_a_port_is_taken(taken):
    assert listens(os.getpid(), taken)
    assert not listens(os.getppid(), taken)
    assert not listens(os.getpid(), free_port("127.0.0.1"))
