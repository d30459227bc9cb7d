"""An event loop in a thread of its own, so that ordinary code can call asynchronous clients."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Coroutine, Iterator
from concurrent.futures import CancelledError
from typing import TypeVar

from datamate.core.errors import DatamateError

ResultT = TypeVar("ResultT")
ItemT = TypeVar("ItemT")

_CANCEL_WAIT_SECONDS = 5.0


class ClientClosedError(DatamateError):
    """This client was closed; make a new one."""

    code = "client_closed"


class LoopThread:
    """Runs the coroutines of one client; several threads may use it at the same time."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        # A daemon, so that a forgotten `close` does not keep the interpreter from ending.
        self._thread = threading.Thread(target=self._loop.run_forever, name="datamate-client", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[object, object, ResultT]) -> ResultT:
        """Return what a coroutine returns; an interrupt (Ctrl-C) cancels it and waits for its clean-up.

        Raises:
            ClientClosedError: `close` was called.
        """
        if self._loop.is_closed():
            work.close()
            raise ClientClosedError
        ended = threading.Event()
        future = asyncio.run_coroutine_threadsafe(_tell_end(work, ended), self._loop)
        try:
            return future.result()
        except CancelledError:
            raise ClientClosedError("This client was closed while it was at work.") from None
        except KeyboardInterrupt:
            future.cancel()
            ended.wait(_CANCEL_WAIT_SECONDS)
            raise

    def iterate(self, items: AsyncGenerator[ItemT, None]) -> Iterator[ItemT]:
        """Yield the items of an asynchronous generator, each fetched when it is asked for."""
        try:
            while (item := self.run(_next(items))) is not None:
                yield item[0]
        finally:
            if not self._loop.is_closed():
                self.run(items.aclose())

    def close(self, last_work: Coroutine[object, object, None]) -> None:
        """Cancel what still runs, do the last work and end the thread; calling it again does nothing."""
        if self._loop.is_closed():
            last_work.close()
            return
        self.run(_cancel_others())
        self.run(last_work)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CANCEL_WAIT_SECONDS)
        self._loop.close()


async def _tell_end(work: Coroutine[object, object, ResultT], ended: threading.Event) -> ResultT:
    try:
        return await work
    finally:
        ended.set()


async def _next(items: AsyncGenerator[ItemT, None]) -> tuple[ItemT] | None:
    try:
        return (await anext(items),)
    except StopAsyncIteration:
        return None


async def _cancel_others() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
