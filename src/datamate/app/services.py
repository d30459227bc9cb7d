"""The services there are: the one list that a new service joins.

Imports nothing at the top but the standard library: the command line reads the names (the framework behind them takes
0.8 s of CPU to import), and each process loads only the services that run in it (0.02 to 0.16 s each).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from datamate.app.wiring import Wiring
    from datamate.config.root import Settings
    from datamate.config.services import ServiceSettings
    from datamate.platform.tasks import BoundTask


def _no_tasks(_wiring: "Wiring") -> "Sequence[BoundTask]":
    return ()


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """One service, as the composition root sees it.

    Attributes:
        name: As in the design; also its package, its schema, and the audience of its tokens.
        address: Returns where it listens, and where others find it.
        build: Makes its application.
        tasks: Returns the tasks that a worker runs for it.
        has_schema: Whether it owns tables.
    """

    name: str
    address: "Callable[[Settings], ServiceSettings]"
    build: "Callable[[Wiring], ASGIApp]"
    tasks: "Callable[[Wiring], Sequence[BoundTask]]" = _no_tasks
    has_schema: bool = True


def _gateway(wiring: "Wiring") -> "ASGIApp":
    from datamate.app.gateway import build_gateway

    return build_gateway(wiring, [entry.name for entry in SERVICES if entry.name != GATEWAY])


def _main(wiring: "Wiring") -> "ASGIApp":
    from datamate.platform.security import PasswordHasher
    from datamate.services.main.app import create_app
    from datamate.services.main.deps import MainResources

    shared, passwords = wiring.resources, PasswordHasher()
    wiring.closed_at_end(passwords.close)
    return create_app(
        MainResources(
            settings=shared.settings,
            database=shared.database,
            redis=shared.redis,
            cache=shared.cache,
            internal_tokens=shared.internal_tokens,
            access_tokens=wiring.access_tokens,
            passwords=passwords,
        )
    )


def _data_management(wiring: "Wiring") -> "ASGIApp":
    from datamate.services.data_management.app import create_app
    from datamate.services.data_management.deps import DataManagementResources

    shared = wiring.resources
    return create_app(
        DataManagementResources(
            settings=shared.settings,
            database=shared.database,
            redis=shared.redis,
            cache=shared.cache,
            internal_tokens=shared.internal_tokens,
            store=wiring.store,
        )
    )


def _runtime(wiring: "Wiring") -> "ASGIApp":
    from datamate.app.runtime import runtime_resources
    from datamate.services.runtime.app import create_app

    return create_app(runtime_resources(wiring, caller="runtime"))


def _runtime_tasks(wiring: "Wiring") -> "Sequence[BoundTask]":
    from datamate.app.runtime import runtime_resources
    from datamate.platform.tasks import collect_tasks
    from datamate.services.runtime.runs import tasks

    return collect_tasks(tasks, runtime_resources(wiring, caller="worker"))


GATEWAY: Final = "gateway"

SERVICES: Final = (
    ServiceEntry(GATEWAY, lambda settings: settings.gateway, _gateway, has_schema=False),
    ServiceEntry("main", lambda settings: settings.main, _main),
    ServiceEntry("data_management", lambda settings: settings.data_management, _data_management),
    ServiceEntry("runtime", lambda settings: settings.runtime, _runtime, _runtime_tasks),
)
