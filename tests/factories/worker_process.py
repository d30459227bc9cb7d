"""A worker in a process of its own, for tests that kill it: adds one row per step, each in the task's transaction.

Usage: worker_process.py DATABASE_URL SECONDS_PER_STEP
"""

import asyncio
import signal
import sys

from sqlalchemy import text

from datamate.config.database import DatabaseSettings
from datamate.platform.db import Database
from datamate.platform.tasks import TaskContext
from factories.tasks import QUICK, Sum, worker


async def main(url: str, seconds_per_step: float) -> None:
    async def take_steps(ctx: TaskContext[object], payload: Sum) -> None:
        """Go on after the last step that any attempt committed, as a run does with its checkpoints."""
        while True:
            async with ctx.transaction() as session:
                next_step = await session.scalar(text("SELECT count(*) FROM step"))
                if next_step == payload.numbers[0]:
                    return
                await session.execute(
                    text("INSERT INTO step (number, fence) VALUES (:number, :fence)"),
                    {"number": next_step, "fence": ctx.fence},
                )
            await asyncio.sleep(seconds_per_step)

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    database = Database(DatabaseSettings(), url)
    await worker(database, take_steps, settings=QUICK).run(stop)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
