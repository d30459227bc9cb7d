"""uvicorn's httptools protocol with limits on the head of a request, which uvicorn itself does not have."""

import asyncio
from typing import Any, Final

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from datamate.platform.http.problems import problem

HEAD_SECONDS: Final = 10.0
"""A head must be complete this long after its connection was made or its first byte came: no slow-loris."""

MAX_HEAD_BYTES: Final = 64 * 1024
"""What is read of a head before the connection is given up; the gateway admits half of it."""


class HeadGuardProtocol(HttpToolsProtocol):
    """Gives up connections whose heads are slow or endless, and answers bad ones with a problem."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._reading_head = False
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in the base class
        """Start to wait for the first head."""
        super().connection_made(transport)
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_head_timer()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Note that a head begins."""
        super().on_message_begin()
        self._reading_head = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        """Note that a head is complete."""
        self._reading_head = False
        self._stop_head_timer()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Parse what came; a head that is still not complete has a limit of bytes and seconds."""
        super().data_received(data)
        if self._reading_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(431, "too_large", "The head of the request is too large.")
            elif self._head_timer is None:
                self._start_head_timer()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP."""
        self._refuse(400, "invalid_input", msg)

    def _start_head_timer(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        self._refuse(408, "deadline_exceeded", "The head of the request did not arrive in time.")

    def _refuse(self, status: int, code: str, detail: str) -> None:
        self._reading_head = False
        self._stop_head_timer()
        if self.transport.is_closing():
            return
        answer = problem(status, code, detail, headers=[(b"connection", b"close")])
        fields = b"".join(name + b": " + value + b"\r\n" for name, value in answer.headers)
        self.transport.write(STATUS_LINE[status] + fields + b"\r\n" + answer.body)
        self.transport.close()
