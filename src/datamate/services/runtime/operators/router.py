"""HTTP routes of the operator catalogue."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from datamate.contracts.main.permissions import Permission
from datamate.contracts.paging import Page
from datamate.contracts.runtime.operators import Operator
from datamate.core.paging import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from datamate.platform.security import require_permission
from datamate.services.runtime.operators import service

router = APIRouter(
    prefix="/runtime/operators", tags=["operators"], dependencies=[require_permission(Permission.OPERATOR_READ)]
)


@router.get("")
def list_operators(
    kind: Annotated[str | None, Query(max_length=20, description="mapper, filter or deduplicator.")] = None,
    cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE, description="Most items on the page.")] = DEFAULT_PAGE_SIZE,
) -> Page[Operator]:
    """List the operators by name."""
    return service.list_operators(kind=kind, cursor=cursor, limit=limit)


@router.get("/{name}")
def get_operator(name: Annotated[str, Path(max_length=100, description="Name of the operator.")]) -> Operator:
    """Return an operator with its parameters."""
    return service.get_operator(name)
