"""HTTP route of the running totals."""

from fastapi import APIRouter

from datamate.contracts.data_management.tags import Statistics
from datamate.contracts.main.permissions import Permission
from datamate.platform.db import ReadSession
from datamate.platform.security import require_permission
from datamate.services.data_management.statistics import service

router = APIRouter(prefix="/data-management/statistics", tags=["statistics"])


@router.get("", dependencies=[require_permission(Permission.DATASET_READ)])
async def get_statistics(session: ReadSession) -> Statistics:
    """Return how many datasets, files and bytes there are."""
    return await service.get_statistics(session)
