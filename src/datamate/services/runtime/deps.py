"""What the routes and tasks of the runtime service are given: its resources."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from datamate.clients.data_management import DataManagementClient
from datamate.platform.http.service import ServiceResources
from datamate.platform.security import Principal
from datamate.storage import ObjectStore


@dataclass(frozen=True, kw_only=True)
class RuntimeResources(ServiceResources):
    """What the runtime service needs of its process.

    Attributes:
        store: Where the files of datasets are read and results are written.
        data_management: Returns a client that acts for a principal.
        principal_of: Returns who a user is at this moment, for a task that works on the user's behalf.
    """

    store: ObjectStore
    data_management: Callable[[Principal], DataManagementClient]
    principal_of: Callable[[str], Awaitable[Principal]]


async def _resources(request: Request) -> RuntimeResources:
    resources: RuntimeResources = request.app.state.resources
    return resources


Resources = Annotated[RuntimeResources, Depends(_resources)]
"""The resources of the service, as a parameter of a route."""
