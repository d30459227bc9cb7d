"""Runs the work of a server process until a signal asks it to end."""

import asyncio
import signal
from collections.abc import Callable, Coroutine

import uvloop

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_until_signalled(work: Callable[[asyncio.Event], Coroutine[None, None, None]]) -> None:
    """Run `work` on an event loop of its own; SIGINT or SIGTERM sets the event it is given, a second one cancels it.

    Raises:
        KeyboardInterrupt: A second signal cut the work short.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_with_signals(work))


async def _with_signals(work: Callable[[asyncio.Event], Coroutine[None, None, None]]) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    task = asyncio.create_task(work(stop))

    def ask_to_stop() -> None:
        if stop.is_set():
            task.cancel()
        stop.set()

    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, ask_to_stop)
    try:
        await task
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        for number in _STOP_SIGNALS:
            loop.remove_signal_handler(number)
