"""HTTP routes by which other parts of DataMate learn who a user is; the gateway routes none of them."""

from fastapi import APIRouter

from datamate.contracts.main.users import PrincipalRecord
from datamate.platform.security import internal_only
from datamate.services.main.deps import Resources
from datamate.services.main.principals import service
from datamate.services.main.users.router import UserId

router = APIRouter(prefix="/internal/principals", tags=["internal"])


@router.get("/{user_id}", dependencies=[internal_only("gateway", "worker")])
async def get_principal(resources: Resources, user_id: UserId) -> PrincipalRecord:
    """Return what a user may do at this moment."""
    return await service.get_principal(resources.database, user_id, cache=resources.cache)
