"""HTTP routes of files."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response, status

from datamate.contracts.data_management.files import (
    DeleteFilesRequest,
    File,
    RenameFileRequest,
    UploadedFile,
    UploadedFiles,
)
from datamate.contracts.data_management.versions import DatasetVersion
from datamate.contracts.main.permissions import Permission
from datamate.contracts.paging import Page
from datamate.core.paging import DEFAULT_PAGE_SIZE
from datamate.platform.db import ReadSession, WriteSession
from datamate.platform.http.body_limit import raw_body
from datamate.platform.security import CurrentPrincipal, require_permission
from datamate.services.data_management.blobs.checksums import read_claims
from datamate.services.data_management.deps import Cursor, DatasetId, Limit, Resources
from datamate.services.data_management.files import service
from datamate.services.data_management.files.bodies import FORM_BODY, RAW_BODY
from datamate.services.data_management.files.content import content_response
from datamate.services.data_management.files.incoming import incoming_body, incoming_form
from datamate.services.data_management.files.multipart import MultipartReader
from datamate.services.data_management.versions.changes import ChangeSet

router = APIRouter(prefix="/data-management/datasets/{dataset_id}/files", tags=["files"])

FileId = Annotated[UUID, Path(description="Id of the file; stays when its content or its path changes.")]
FilePath = Annotated[str, Query(alias="path", max_length=4_096, description="Path of the file in the dataset.")]
OfVersion = Annotated[int | None, Query(ge=1, le=2**62, description="Which version. Left out: the newest.")]
Base = Annotated[
    int | None, Query(ge=0, le=2**62, description="Refuse if a path changed after this version. Left out: never.")
]
Message = Annotated[str, Query(max_length=1_000, description="What the new version is about.")]

_CONTENT: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "The whole content."},
    206: {"description": "The requested part."},
    304: {"description": "The client has this content already."},
    412: {"description": "A precondition does not hold."},
    416: {"description": "The range lies outside the file."},
}


@router.get("", dependencies=[require_permission(Permission.DATASET_READ)])
async def list_files(  # noqa: PLR0913 - a version, a folder and a page
    session: ReadSession,
    dataset_id: DatasetId,
    *,
    version: OfVersion = None,
    prefix: Annotated[str, Query(max_length=1_024, description="Only paths that begin so, such as a folder/.")] = "",
    cursor: Cursor = None,
    limit: Limit = DEFAULT_PAGE_SIZE,
) -> Page[File]:
    """List the files of a version by path."""
    return await service.list_files(session, dataset_id, version=version, prefix=prefix, cursor=cursor, limit=limit)


@router.put("", dependencies=[require_permission(Permission.DATASET_WRITE), raw_body(None)], openapi_extra=RAW_BODY)
async def put_file(  # noqa: PLR0913 - what a version of one file consists of
    request: Request,
    resources: Resources,
    principal: CurrentPrincipal,
    dataset_id: DatasetId,
    path: FilePath,
    *,
    base_version: Base = None,
    message: Message = "",
) -> UploadedFile:
    """Store the body, of any size, as one file in a new version; an upload makes one version of many files.

    `X-Content-BLAKE3` (64 hexadecimal digits) and `Content-Digest` (RFC 9530) are verified.
    """
    change_set = ChangeSet(created_by=principal.user_id, message=message or f"Put {path}", base_version=base_version)
    incoming = incoming_body(
        resources,
        path,
        request.stream(),
        read_claims(request.headers),
        claimed_type=request.headers.get("content-type"),
    )
    return await service.put_file(resources, dataset_id, incoming, change_set)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    dependencies=[require_permission(Permission.DATASET_WRITE), raw_body(None)],
    openapi_extra=FORM_BODY,
)
async def post_files(  # noqa: PLR0913 - what a version of several files consists of
    request: Request,
    resources: Resources,
    principal: CurrentPrincipal,
    dataset_id: DatasetId,
    *,
    base_version: Base = None,
    message: Message = "",
) -> UploadedFiles:
    """Store up to 1,000 files of a form in one new version; their file names are their paths."""
    reader = MultipartReader(request.headers.get("content-type", ""), request.stream())
    change_set = ChangeSet(created_by=principal.user_id, message=message or "Upload", base_version=base_version)
    return await service.put_files(resources, dataset_id, incoming_form(resources, reader), change_set)


@router.post("/delete", dependencies=[require_permission(Permission.DATASET_WRITE)])
async def delete_files(
    session: WriteSession,
    resources: Resources,
    principal: CurrentPrincipal,
    dataset_id: DatasetId,
    body: DeleteFilesRequest,
) -> DatasetVersion:
    """Remove files in one new version; older versions keep them."""
    return await service.delete_files(session, dataset_id, body, created_by=principal.user_id, cache=resources.cache)


@router.get("/{file_id}", dependencies=[require_permission(Permission.DATASET_READ)])
async def get_file(session: ReadSession, dataset_id: DatasetId, file_id: FileId, version: OfVersion = None) -> File:
    """Return what is known of a file."""
    return await service.get_file(session, dataset_id, str(file_id), version=version)


@router.patch("/{file_id}", dependencies=[require_permission(Permission.DATASET_WRITE)])
async def rename_file(  # noqa: PLR0913 - what a rename consists of
    session: WriteSession,
    resources: Resources,
    principal: CurrentPrincipal,
    *,
    dataset_id: DatasetId,
    file_id: FileId,
    body: RenameFileRequest,
) -> UploadedFile:
    """Give a file another path in a new version; its id stays."""
    return await service.rename_file(
        session, dataset_id, str(file_id), body, created_by=principal.user_id, cache=resources.cache
    )


@router.delete("/{file_id}", dependencies=[require_permission(Permission.DATASET_WRITE)])
async def delete_file(
    session: WriteSession, resources: Resources, principal: CurrentPrincipal, dataset_id: DatasetId, file_id: FileId
) -> DatasetVersion:
    """Remove a file in a new version; older versions keep it."""
    return await service.delete_file(
        session, dataset_id, str(file_id), created_by=principal.user_id, cache=resources.cache
    )


@router.head("/{file_id}/content", dependencies=[require_permission(Permission.DATASET_READ)], include_in_schema=False)
@router.get(
    "/{file_id}/content",
    dependencies=[require_permission(Permission.DATASET_READ)],
    response_class=Response,
    responses=_CONTENT,
)
async def read_content(  # noqa: PLR0913 - a file of a version
    request: Request,
    session: ReadSession,
    resources: Resources,
    *,
    dataset_id: DatasetId,
    file_id: FileId,
    version: OfVersion = None,
) -> Response:
    """Return the content of a file, whole or the part that `Range` asks for."""
    file = await service.find_file(session, dataset_id, str(file_id), version=version)
    return await content_response(request, resources.store, file)
