"""Runs the tasks of every service as a process of its own."""

import asyncio
from contextlib import AsyncExitStack

import structlog

from datamate.app.preflight import check_database, warn_without_redis
from datamate.app.services import SERVICES
from datamate.app.supervisor.readiness import tell_ready
from datamate.app.wiring import Wiring
from datamate.config.root import Settings
from datamate.platform.tasks import TaskWorker
from datamate.platform.telemetry import configure_logging

_log = structlog.get_logger(__name__)


async def work(settings: Settings, stop: asyncio.Event) -> None:
    """Work on tasks until `stop` is set; what does not finish soon goes back into the queue.

    A service whose address is configured is called there. One without is mounted in this process, as in `datamate
    up`, where services listen on no port of their own; its background work is left to the servers.

    Raises:
        ConfigurationError: Something in the configuration is missing or wrong.
        UnavailableError: PostgreSQL does not answer.
    """
    configure_logging(settings.log, service="worker")
    owners = [entry for entry in SERVICES if entry.has_schema]
    mounted = [entry.name for entry in owners if entry.address(settings).url is None]
    async with AsyncExitStack() as stack:
        wiring = Wiring(settings, stack, mounted=mounted)
        tasks = [bound for entry in SERVICES for bound in entry.tasks(wiring)]
        await check_database(wiring.database, [entry.name for entry in owners])
        await warn_without_redis(wiring.redis)
        queues = sorted({bound.handler.kind.queue for bound in tasks})
        worker = TaskWorker(wiring.database, tasks, settings.worker, queues=queues)
        _log.info("working", kinds=sorted(bound.handler.kind.name for bound in tasks), queues=queues, mounted=mounted)
        tell_ready()
        await worker.run(stop)
