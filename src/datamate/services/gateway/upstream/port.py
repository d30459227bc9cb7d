"""What the gateway needs of a service, wherever that runs."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from starlette.types import Receive, Scope, Send

from datamate.platform.security import Principal


@dataclass(frozen=True, slots=True)
class ForwardedCall:
    """A request that has passed the door.

    Attributes:
        scope: The client's ASGI scope, for its method, query, scheme and addresses.
        path: The canonical path at the service.
        fields: The header fields that go on.
        has_body: Whether a body follows.
        principal: Who asks; None on a public route.
    """

    scope: Scope
    path: bytes
    fields: Sequence[tuple[bytes, bytes]]
    has_body: bool
    principal: Principal | None


class Upstream(Protocol):
    """One service."""

    async def forward(self, call: ForwardedCall, receive: Receive, send: Send) -> None:
        """Send a request and pass its answer on, both as they come; being cancelled cancels the service's work.

        Raises:
            UnavailableError: The service cannot be reached or broke off.
            DeadlineExceededError: The service accepted no connection in time, or paused for too long.
        """

    async def fetch(self, path: str) -> tuple[int, bytes]:
        """Return status and body of one of the service's own public addresses.

        Raises:
            UnavailableError: The service cannot be reached or broke off.
            DeadlineExceededError: It did not answer in time.
        """

    def running(self) -> AbstractAsyncContextManager[None]:
        """Hold open what the calls need."""
