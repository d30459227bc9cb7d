"""What the parts of the client share: one server, one sign-in, one event loop."""

from collections.abc import AsyncGenerator, Coroutine, Iterator
from typing import TypeVar

from datamate.clients.data_management import DataManagementClient
from datamate.clients.main import MainClient
from datamate.clients.runtime import RuntimeClient
from datamate.core.errors import UnauthenticatedError
from datamate.sdk.loop_thread import LoopThread
from datamate.sdk.server_transport import ServerTransport

ResultT = TypeVar("ResultT")
ItemT = TypeVar("ItemT")

API_ROOT = "/api/v1"


class Connection:
    """The typed clients of one server, and the way to call them from ordinary code."""

    def __init__(self, url: str, token: str | None, *, timeout_seconds: float) -> None:
        """Prepare a connection; the first call opens it.

        Args:
            url: Address of the gateway, normalised.
            token: Access token; None for calls that need none.
            timeout_seconds: Longest time for one call, and for the start of a transfer.
        """
        self.url = url
        self._transport = ServerTransport(url + API_ROOT, token)
        self.main = MainClient(self._transport, deadline_seconds=timeout_seconds)
        self.data_management = DataManagementClient(self._transport, deadline_seconds=timeout_seconds)
        self.runtime = RuntimeClient(self._transport, deadline_seconds=timeout_seconds)
        self._loop = LoopThread()

    def call(self, work: Coroutine[object, object, ResultT]) -> ResultT:
        """Return what a call returns.

        Raises:
            UnauthenticatedError: The sign-in is not valid any more; the message says how to renew it.
        """
        try:
            return self._loop.run(work)
        except UnauthenticatedError as error:
            raise self._sign_in_again(error) from error

    def iterate(self, items: AsyncGenerator[ItemT, None]) -> Iterator[ItemT]:
        """Yield items, each fetched when it is asked for; errors as `call`."""
        try:
            yield from self._loop.iterate(items)
        except UnauthenticatedError as error:
            raise self._sign_in_again(error) from error

    def call_without_sign_in(self, work: Coroutine[object, object, ResultT]) -> ResultT:
        """Return what a call returns whose refusal is no matter of an old sign-in."""
        return self._loop.run(work)

    def close(self) -> None:
        """Close connections and end the thread; calling it again does nothing."""
        self._loop.close(self._transport.close())

    def _sign_in_again(self, error: UnauthenticatedError) -> UnauthenticatedError:
        return UnauthenticatedError(
            f"{self.url} does not accept this sign-in (any more): {error.detail} "
            f"Sign in again: `datamate login --url {self.url}`, or `Client.login(…)` in Python.",
            code=error.code,
        )
