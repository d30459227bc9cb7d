"""HTTP routes of uploads."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, status

from datamate.contracts.data_management.uploads import CommitUploadRequest, CreateUploadRequest, ReceivedFile, Upload
from datamate.contracts.data_management.versions import DatasetVersion
from datamate.contracts.main.permissions import Permission
from datamate.contracts.paging import Page
from datamate.core.paging import DEFAULT_PAGE_SIZE
from datamate.platform.db import ReadSession, WriteSession
from datamate.platform.http.body_limit import raw_body
from datamate.platform.security import CurrentPrincipal, require_permission
from datamate.services.data_management.blobs.checksums import read_claims
from datamate.services.data_management.deps import Cursor, Limit, Resources
from datamate.services.data_management.files.bodies import FORM_BODY, RAW_BODY
from datamate.services.data_management.files.incoming import incoming_body, incoming_form
from datamate.services.data_management.files.multipart import MultipartReader
from datamate.services.data_management.uploads import service

router = APIRouter(prefix="/data-management/uploads", tags=["uploads"])

UploadId = Annotated[UUID, Path(description="Id of the upload.")]
FilePath = Annotated[str, Query(alias="path", max_length=4_096, description="Path of the file in the dataset.")]

_WRITES = require_permission(Permission.DATASET_WRITE)


@router.post("", status_code=status.HTTP_201_CREATED, dependencies=[_WRITES])
async def create_upload(session: WriteSession, principal: CurrentPrincipal, body: CreateUploadRequest) -> Upload:
    """Open an upload to a dataset: send its files in any order and side by side, then commit it."""
    return await service.create_upload(session, body, created_by=principal.user_id)


@router.get("/{upload_id}", dependencies=[_WRITES])
async def get_upload(session: ReadSession, principal: CurrentPrincipal, upload_id: UploadId) -> Upload:
    """Return an upload."""
    return await service.get_upload(session, str(upload_id), principal)


@router.get("/{upload_id}/files", dependencies=[_WRITES])
async def list_received(
    session: ReadSession,
    principal: CurrentPrincipal,
    upload_id: UploadId,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_PAGE_SIZE,
) -> Page[ReceivedFile]:
    """List what an open upload has received by path; after a break, send only what is missing."""
    return await service.list_received(session, str(upload_id), principal, cursor=cursor, limit=limit)


@router.put("/{upload_id}/files", dependencies=[_WRITES, raw_body(None)], openapi_extra=RAW_BODY)
async def put_file(
    request: Request, resources: Resources, principal: CurrentPrincipal, upload_id: UploadId, path: FilePath
) -> ReceivedFile:
    """Receive the body, of any size, as one file of the upload.

    `X-Content-BLAKE3` (64 hexadecimal digits) and `Content-Digest` (RFC 9530) are verified.
    """
    incoming = incoming_body(
        resources,
        path,
        request.stream(),
        read_claims(request.headers),
        claimed_type=request.headers.get("content-type"),
    )
    return (await service.put_files(resources, str(upload_id), principal, incoming))[0]


@router.post("/{upload_id}/files", dependencies=[_WRITES, raw_body(None)], openapi_extra=FORM_BODY)
async def post_files(
    request: Request, resources: Resources, principal: CurrentPrincipal, upload_id: UploadId
) -> Page[ReceivedFile]:
    """Receive up to 1,000 files of a form; their file names are their paths. Best for many small files."""
    reader = MultipartReader(request.headers.get("content-type", ""), request.stream())
    incoming = incoming_form(resources, reader)
    return Page[ReceivedFile](items=await service.put_files(resources, str(upload_id), principal, incoming))


@router.post("/{upload_id}/commit", dependencies=[_WRITES])
async def commit_upload(
    session: WriteSession,
    resources: Resources,
    principal: CurrentPrincipal,
    upload_id: UploadId,
    body: CommitUploadRequest,
) -> DatasetVersion:
    """Make one version of what the upload received; repeating it returns the same version."""
    return await service.commit_upload(session, str(upload_id), principal, body, cache=resources.cache)


@router.delete("/{upload_id}", status_code=status.HTTP_204_NO_CONTENT, dependencies=[_WRITES])
async def abort_upload(session: WriteSession, principal: CurrentPrincipal, upload_id: UploadId) -> None:
    """Throw an upload away."""
    await service.abort_upload(session, str(upload_id), principal)
