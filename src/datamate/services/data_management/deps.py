"""What the routes of the data_management service are given: its resources, and the parameters they share."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Path, Query, Request, params

from datamate.core.errors import PermissionDeniedError
from datamate.core.paging import MAX_PAGE_SIZE
from datamate.platform.http.service import ServiceResources
from datamate.platform.security import current_principal
from datamate.storage import ObjectStore


@dataclass(frozen=True, kw_only=True)
class DataManagementResources(ServiceResources):
    """What the data_management service needs of its process.

    Attributes:
        store: Where the bytes of files are kept.
    """

    store: ObjectStore


async def _resources(request: Request) -> DataManagementResources:
    resources: DataManagementResources = request.app.state.resources
    return resources


Resources = Annotated[DataManagementResources, Depends(_resources)]
"""The resources of the service, as a parameter of a route."""

DatasetId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,50}$", description="Id of the dataset.")]
VersionNumber = Annotated[int, Path(ge=1, le=2**62, description="Number of the version.")]
Cursor = Annotated[str | None, Query(max_length=4_000, description="`next_cursor` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE, description="Most items on the page.")]

_INTERNAL_CALLERS: Final = frozenset({"runtime", "worker", "data_collection"})


async def _refuse_outsiders(request: Request) -> None:
    if current_principal(request).actor not in _INTERNAL_CALLERS:
        raise PermissionDeniedError("Only parts of DataMate may call this address.")


internal_callers_only: params.Depends = Depends(_refuse_outsiders)
"""For `dependencies`, beside a permission: a part of DataMate must make the call on behalf of a user who holds it."""
