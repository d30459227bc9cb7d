"""How a process says that it has begun its work: systemd's protocol, so that its units may be `Type=notify` too.

Source: sd_notify(3). The message `READY=1` goes to the datagram socket that NOTIFY_SOCKET names.
"""

import contextlib
import os
import socket
import struct
from typing import Self

from datamate.config.environment import notify_socket

_READY = b"READY=1"
_MESSAGE_BYTES = 4096
_CREDENTIALS = struct.Struct("3i")  # Source: unix(7), struct ucred: pid, uid, gid


def tell_ready() -> None:
    """Say that this process has begun its work, if whoever started it wants to know."""
    address = notify_socket()
    if address is None:
        return
    # A supervisor that is gone has no use for the news.
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(_READY, f"\0{address[1:]}" if address.startswith("@") else address)


class ReadySocket:
    """Hears which processes have begun their work; on Linux only."""

    def __init__(self) -> None:
        """Listen at an address that the kernel chooses, outside the file system."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        # Any user may send here; the kernel says who it was.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind("")
        self._heard: set[int] = set()

    @classmethod
    def where_supported(cls) -> Self | None:
        """Return a socket, or None on a system without credentials of senders."""
        return cls() if hasattr(socket, "SO_PASSCRED") else None

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to say that it is ready."""
        name: bytes = self._socket.getsockname()
        return {"NOTIFY_SOCKET": f"@{os.fsdecode(name[1:])}"}

    def heard_from(self, pid: int) -> bool:
        """Tell whether process `pid` said that it is ready."""
        with contextlib.suppress(BlockingIOError):
            while True:
                message, control, _, _ = self._socket.recvmsg(_MESSAGE_BYTES, socket.CMSG_SPACE(_CREDENTIALS.size))
                if _READY in message.splitlines():
                    self._heard.update(_sender(data) for _, kind, data in control if kind == socket.SCM_CREDENTIALS)
        return pid in self._heard

    def close(self) -> None:
        """Hear nothing more."""
        self._socket.close()


def _sender(credentials: bytes) -> int:
    pid: int = _CREDENTIALS.unpack_from(credentials)[0]
    return pid
