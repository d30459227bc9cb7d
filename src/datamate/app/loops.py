"""Runs background loops beside the work of a process: one that fails ends the process, with its error."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol


class Loop(Protocol):
    """Something that runs until it is told to stop."""

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set."""


@asynccontextmanager
async def running_loops(loops: Sequence[Loop]) -> AsyncIterator[None]:
    """Run loops while the block runs, and end them in order after it.

    A loop outlives outages by itself; one that raises has a fault, and its error is raised here.
    """
    stop = asyncio.Event()
    try:
        async with asyncio.TaskGroup() as group:
            for loop in loops:
                group.create_task(loop.run(stop))
            try:
                yield
            finally:
                stop.set()
    except BaseExceptionGroup as failures:
        # The first one caused the others; a process can only say one thing as it ends.
        raise failures.exceptions[0] from None
