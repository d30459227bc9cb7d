"""Runs a service, or all of them, as a server process with its background loops."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from datamate.app.loops import Loop, running_loops
from datamate.app.preflight import check_database, warn_without_redis
from datamate.app.services import GATEWAY, SERVICES
from datamate.app.wiring import Wiring
from datamate.config.root import Settings
from datamate.platform.events import (
    BroadcastListener,
    Consumer,
    Reconciler,
    Relay,
    collect_broadcasts,
    collect_subscribers,
)
from datamate.platform.http.server import serve as serve_http
from datamate.platform.telemetry import configure_logging

ALL = "all"
"""The gateway with every service behind it, in one process."""


async def serve(settings: Settings, service: str, stop: asyncio.Event) -> None:
    """Serve until `stop` is set, then finish what is under way and close everything.

    Args:
        settings: The configuration of the process.
        service: The name of a service, or `all`.
        stop: Ends it.

    Raises:
        ConfigurationError: Something in the configuration is missing or wrong.
        UnavailableError: PostgreSQL does not answer.
    """
    configure_logging(settings.log, service=service)
    mounted = [entry for entry in SERVICES if service in {ALL, entry.name}]
    front = GATEWAY if service == ALL else service
    async with AsyncExitStack() as stack:
        wiring = Wiring(settings, stack, mounted=[entry.name for entry in mounted])
        app = wiring.app(front)
        owners = [entry.name for entry in mounted if entry.has_schema]
        if owners:
            await check_database(wiring.database, owners)
        await warn_without_redis(wiring.redis)
        listen = next(entry for entry in mounted if entry.name == front).address(settings)
        async with running_loops(_loops(wiring, owners)):
            await serve_http(app, listen.host, listen.port, stop=stop)


def _loops(wiring: Wiring, services: Sequence[str]) -> list[Loop]:
    """Return what runs beside the requests; any number of replicas may run each of these."""
    loops: list[Loop] = []
    if "main" in services:  # as good as any; it is there in every topology
        loops += [Relay(wiring.database, wiring.background_redis), Reconciler(wiring.database, wiring.background_redis)]
    modules = dict(_subscriber_modules(services))
    for name, module in modules.items():
        subscribers = collect_subscribers(module)
        loops.append(Consumer(wiring.database, wiring.background_redis, name, subscribers))
    broadcasts = [found for module in modules.values() for found in collect_broadcasts(module)]
    if broadcasts:
        loops.append(BroadcastListener(wiring.database, wiring.background_redis, broadcasts))
    return loops


def _subscriber_modules(services: Iterable[str]) -> Iterable[tuple[str, ModuleType]]:
    """Yield the module `subscribers` of each service that has one."""
    for name in services:
        path = f"datamate.services.{name}.subscribers"
        if find_spec(path) is not None:
            yield name, import_module(path)
