"""Messages between the coordinator and its own worker processes, over a socket pair nobody else can reach."""

import pickle
import socket
from dataclasses import dataclass
from typing import Self

from datamate.core.errors import DatamateError, FieldError
from datamate.engine.job import Job, Result, Task

_HEADER_BYTES = 8


@dataclass(frozen=True, slots=True)
class Hello:
    """A worker is ready."""

    pid: int


@dataclass(frozen=True, slots=True)
class Progress:
    """A worker has read so many rows and bytes of its task."""

    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Done:
    """A task is finished; `peak_memory_bytes` is the worker's highest resident memory so far."""

    result: Result
    peak_memory_bytes: int


@dataclass(frozen=True, slots=True)
class Failed:
    """A task ended with an error. Errors travel in parts, as exceptions lose their fields when pickled."""

    kind: type[DatamateError]
    detail: str
    code: str
    errors: tuple[FieldError, ...]

    @classmethod
    def of(cls, error: DatamateError) -> Self:
        """Return the parts of an error."""
        return cls(type(error), error.detail, error.code, error.errors)

    def to_error(self) -> DatamateError:
        """Return the error again."""
        return self.kind(self.detail, code=self.code, errors=self.errors)


Message = Hello | Progress | Done | Failed | Job | Task


class Channel:
    """Sends and receives whole messages."""

    def __init__(self, connection: socket.socket) -> None:
        """Take one end of a socket pair."""
        self._connection = connection

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._connection.fileno()

    def send(self, message: Message) -> None:
        """Send a message.

        Raises:
            OSError: The other side is gone.
        """
        data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        self._connection.sendall(len(data).to_bytes(_HEADER_BYTES) + data)

    def receive(self) -> Message:
        """Wait for the next message.

        Raises:
            EOFError: The other side is gone.
        """
        size = int.from_bytes(self._read(_HEADER_BYTES))
        message: Message = pickle.loads(self._read(size))  # noqa: S301 - from a process of our own, by a private socket
        return message

    def close(self) -> None:
        """Close this end."""
        self._connection.close()

    def _read(self, size: int) -> bytes:
        data = bytearray(size)
        view = memoryview(data)
        while view:
            try:
                count = self._connection.recv_into(view)
            except ConnectionError as error:
                raise EOFError from error
            if not count:
                raise EOFError
            view = view[count:]
        return bytes(data)
