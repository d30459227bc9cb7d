"""Whether a port is free, and who has it if not."""

import contextlib
import errno
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from datamate.app.supervisor.errors import PortInUseError

_LISTENING = "0A"  # Source: Linux, include/net/tcp_states.h, in the hexadecimal of /proc/net/tcp


@dataclass(frozen=True, slots=True)
class PortOwner:
    """The process that listens on a port."""

    pid: int
    program: str


def require_free(host: str, port: int, *, setting: str) -> None:
    """Check that this machine can listen on `host`:`port`.

    Args:
        host: The address to listen on.
        port: The port; 0 is always free.
        setting: The environment variable that changes the port, for the message.

    Raises:
        PortInUseError: Another process listens there, or the address is not one of this machine.
    """
    try:
        _bind(host, port).close()
    except OSError as error:
        raise PortInUseError(_explanation(error, host, port, setting)) from error


def free_port(host: str) -> int:
    """Return a port of `host` that nothing listened on a moment ago."""
    with _bind(host, 0) as probe:
        port: int = probe.getsockname()[1]
        return port


def port_owner(port: int) -> PortOwner | None:
    """Return who listens on a port, or None if nobody does or it cannot be seen (another user's, or not Linux)."""
    sockets = set(_listening_sockets(port))
    if not sockets:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended meanwhile, or belongs to somebody else
            if _has_one_of(process, sockets):
                return PortOwner(int(process.name), (process / "comm").read_text("utf-8").strip())
    return None


def listens(pid: int, port: int) -> bool:
    """Tell whether process `pid` listens on a port; True where that cannot be seen (not Linux)."""
    try:
        return _has_one_of(Path(f"/proc/{pid}"), set(_listening_sockets(port)))
    except OSError:
        return not Path("/proc/net/tcp").exists()


def _bind(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    probe = socket.socket(family, kind, protocol)
    try:
        # As servers do: connections of an earlier server that still linger are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
    except OSError:
        probe.close()
        raise
    return probe


def _explanation(error: OSError, host: str, port: int, setting: str) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            owner = port_owner(port)
            by = "another process" if owner is None else f"{owner.program} (process id {owner.pid})"
            return f"Port {port} of {host} is in use by {by}. Stop it, or choose another port with {setting}."
        case errno.EACCES:
            return f"This user may not listen on port {port}. Choose one above 1023 with {setting}."
        case _:
            reason = error.strerror or os.strerror(error.errno or 0)
            return f"Cannot listen on port {port} of {host}: {reason}. Correct {setting} or the host beside it."


def _has_one_of(process: Path, sockets: set[str]) -> bool:
    return any(str(link.readlink()) in sockets for link in (process / "fd").iterdir())


def _listening_sockets(port: int) -> Iterator[str]:
    """Yield the sockets that listen on a port, as the links of descriptors name them."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text("ascii").splitlines()[1:]:
                columns = line.split()
                if columns[3] == _LISTENING and int(columns[1].rpartition(":")[2], 16) == port:
                    yield f"socket:[{columns[9]}]"
