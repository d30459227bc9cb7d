"""What the runtime service is given, in a server and in a worker."""

from typing import Final

from datamate.app.principals import PrincipalSource
from datamate.app.wiring import Wiring
from datamate.clients.data_management import DataManagementClient
from datamate.services.runtime.deps import RuntimeResources

_REQUEST_DEADLINE_SECONDS: Final = 30.0
_TASK_DEADLINE_SECONDS: Final = 3_600.0


def runtime_resources(wiring: Wiring, *, caller: str) -> RuntimeResources:
    """Return the resources of the runtime service.

    Args:
        wiring: The process.
        caller: How the other services see it: `runtime`, or `worker` for its tasks.
    """
    # To publish a version, data_management reads the whole result once more to verify it.
    deadline_seconds = _TASK_DEADLINE_SECONDS if caller == "worker" else _REQUEST_DEADLINE_SECONDS
    shared, data_management = wiring.resources, wiring.transport("data_management", caller=caller)
    return RuntimeResources(
        settings=shared.settings,
        database=shared.database,
        redis=shared.redis,
        cache=shared.cache,
        internal_tokens=shared.internal_tokens,
        store=wiring.store,
        data_management=lambda principal: DataManagementClient(
            data_management.as_principal(principal), deadline_seconds=deadline_seconds
        ),
        principal_of=PrincipalSource(wiring.transport("main", caller=caller)).principal_of,
    )
