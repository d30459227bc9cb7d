"""HTTP route of lineage."""

from fastapi import APIRouter

from datamate.contracts.data_management.versions import Lineage
from datamate.contracts.main.permissions import Permission
from datamate.platform.db import ReadSession
from datamate.platform.security import require_permission
from datamate.services.data_management.deps import DatasetId, VersionNumber
from datamate.services.data_management.lineage import service

router = APIRouter(prefix="/data-management/datasets", tags=["versions"])


@router.get("/{dataset_id}/versions/{version}/lineage", dependencies=[require_permission(Permission.DATASET_READ)])
async def get_lineage(session: ReadSession, dataset_id: DatasetId, version: VersionNumber) -> Lineage:
    """Return everything that a version was made from, nearest first."""
    return await service.get_lineage(session, dataset_id, version)
