"""Runs a platform until a signal ends it."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator

from datamate.app.supervisor.platform import Platform

# A closed terminal (SIGHUP) ends the platform as Ctrl-C does, and not its supervisor alone.
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def run_until_signalled(platform: Platform, *, on_ready: Callable[[], None], on_stop: Callable[[], None]) -> bool:
    """Start `platform`, wait for SIGINT, SIGTERM or SIGHUP, and stop it; a second signal ends the stop at once.

    Args:
        platform: What to run.
        on_ready: Called when it is ready.
        on_stop: Called when a signal came.

    Returns:
        Whether it ever was ready.

    Raises:
        DatamateError: It did not start.
    """
    stop = asyncio.Event()
    with _signals_to(lambda: _ask_to_stop(stop, platform, on_stop)):
        starting = asyncio.create_task(platform.start())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await starting
            return False
        if starting.exception() is not None:
            stopping.cancel()
        await starting
        on_ready()
        await stopping
        await platform.stop()
        return True


def _ask_to_stop(stop: asyncio.Event, platform: Platform, on_stop: Callable[[], None]) -> None:
    if stop.is_set():
        platform.hurry()
    else:
        on_stop()
        stop.set()


@contextlib.contextmanager
def _signals_to(handler: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    hangup_is_ignored = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN  # by `nohup`, which means it
    numbers = [number for number in _STOP_SIGNALS if not (number == signal.SIGHUP and hangup_is_ignored)]
    for number in numbers:
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
