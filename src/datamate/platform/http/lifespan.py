"""The lifespan of an ASGI application, run by whoever mounts it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp, Message


@asynccontextmanager
async def running(app: ASGIApp) -> AsyncIterator[None]:
    """Start an application, and stop it when the block ends; one without a lifespan is left alone.

    Whatever the application raises while it starts or stops is raised here.
    """
    to_app: asyncio.Queue[Message] = asyncio.Queue()
    from_app: asyncio.Queue[Message] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}

    async def run() -> None:
        await app(scope, to_app.get, from_app.put)

    # One task from start to stop, because an application may hold cancel scopes open in between.
    task = asyncio.create_task(run())
    try:
        await _phase(task, to_app, from_app, "startup")
        yield
        await _phase(task, to_app, from_app, "shutdown")
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _phase(
    task: asyncio.Task[None], to_app: asyncio.Queue[Message], from_app: asyncio.Queue[Message], phase: str
) -> None:
    if task.done():
        return
    await to_app.put({"type": f"lifespan.{phase}"})
    answer = asyncio.create_task(from_app.get())
    await asyncio.wait({task, answer}, return_when=asyncio.FIRST_COMPLETED)
    if not answer.done():
        answer.cancel()
        await task
    elif answer.result()["type"] == f"lifespan.{phase}.failed":
        await task
        raise RuntimeError(f"The application failed in its {phase}: {answer.result().get('message', '')}")
