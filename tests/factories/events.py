"""Events and subscribers of a made-up shop, and the background loops that carry them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import ClassVar, Protocol

from datamate.contracts.events import Event
from datamate.platform.db import Database


class OrderPlaced(Event):
    """Something was ordered."""

    topic: ClassVar[str] = "order.placed"

    item: str = "book"


def order(number: int = 1, *, version: int = 1) -> OrderPlaced:
    return OrderPlaced(aggregate_id=f"order-{number}", aggregate_version=version)


async def publish(database: Database, *events: Event) -> None:
    async with database.transaction() as session:
        for event in events:
            session.publish(event)


class Loop(Protocol):
    async def run(self, stop: asyncio.Event) -> None: ...


@asynccontextmanager
async def running(*loops: Loop) -> AsyncIterator[None]:
    """Run loops in the background, stop them at the end, and fail when one does not stop."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(loop.run(stop)) for loop in loops]
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(15):
            await asyncio.gather(*tasks)


async def eventually(condition: Callable[[], Awaitable[bool] | bool], *, within_seconds: float = 10.0) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(within_seconds):
        while True:
            result = condition()
            if await result if isinstance(result, Awaitable) else result:
                return
            await asyncio.sleep(0.01)
