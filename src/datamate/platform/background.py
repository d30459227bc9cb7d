"""Loops that run beside the requests: they outlive outages, end when told to, and wake early when there is work."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
from redis.exceptions import RedisError

from datamate.core.errors import UnavailableError
from datamate.platform.backoff import full_jitter_seconds

_BASE_SECONDS = 0.2
_CAP_SECONDS = 5.0

_OUTAGES = (UnavailableError, RedisError, OSError)

_log = structlog.get_logger("datamate.background")


async def repeat(
    step: Callable[[], Awaitable[float]], *, name: str, stop: asyncio.Event, wake: asyncio.Event | None = None
) -> None:
    """Call `step` again and again until `stop` is set; a step that fails is repeated with growing pauses.

    Args:
        step: One round; returns the seconds until the next one, 0 for at once.
        name: Names the loop in the log, where an outage shows once when it begins and once when it ends.
        stop: Ends the loop, during a pause at once.
        wake: Ends a pause early; cleared before each round.
    """
    failures = 0
    while not stop.is_set():
        if wake is not None:
            wake.clear()
        try:
            seconds = await step()
        except Exception as error:  # noqa: BLE001 - the boundary of the process: nothing above could do better
            failures += 1
            if failures == 1:
                unexpected = not isinstance(error, _OUTAGES)
                _log.warning("background loop failed, retrying", loop=name, error=str(error), exc_info=unexpected)
            await pause(full_jitter_seconds(failures, base_seconds=_BASE_SECONDS, cap_seconds=_CAP_SECONDS), stop)
            continue
        if failures:
            _log.info("background loop works again", loop=name, failures=failures)
            failures = 0
        if seconds > 0:
            await pause(seconds, stop, wake)


async def pause(seconds: float, *events: asyncio.Event | None) -> None:
    """Sleep, but only until one of the events is set."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events if event is not None]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for waiter in waiting:
            waiter.cancel()


async def cancel_and_wait(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks and wait until they are gone."""
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
