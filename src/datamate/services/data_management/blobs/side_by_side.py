"""Work on several objects at the same time, that fails like work on one."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final, TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_AT_ONCE: Final = 8
"""As many as the threads of a local object store."""


async def side_by_side(items: Iterable[ItemT], work: Callable[[ItemT], Coroutine[Any, Any, ResultT]]) -> list[ResultT]:
    """Return the results of `work` on each item, in order; the first failure cancels the rest and is raised itself."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(item: ItemT) -> ResultT:
        async with slots:
            return await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures
    return [task.result() for task in tasks]
