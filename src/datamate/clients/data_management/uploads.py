"""Uploads: many files, in any order and side by side, that become one version together."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping

from datamate.clients.caller import Call, segment
from datamate.clients.data_management.files import upload_headers
from datamate.clients.data_management.part import ClientPart
from datamate.clients.pages import iterate_pages
from datamate.contracts.data_management.uploads import CommitUploadRequest, CreateUploadRequest, ReceivedFile, Upload
from datamate.contracts.data_management.versions import DatasetVersion
from datamate.contracts.paging import Page
from datamate.core.paging import DEFAULT_PAGE_SIZE

_COMMIT_SECONDS = 120.0
"""A commit of hundreds of thousands of files takes longer than other calls."""


class UploadCalls(ClientPart):
    """Calls of uploads."""

    async def create_upload(self, request: CreateUploadRequest) -> Upload:
        """Open an upload; its files become visible when it is committed, and not before."""
        return await self._caller.fetch(Call("POST", "/data-management/uploads", body=request), Upload)

    async def get_upload(self, upload_id: str) -> Upload:
        """Return an upload."""
        return await self._caller.fetch(Call("GET", _upload_path(upload_id)), Upload)

    async def list_received(
        self, upload_id: str, *, cursor: str | None = None, limit: int = DEFAULT_PAGE_SIZE
    ) -> Page[ReceivedFile]:
        """Return a page of what an open upload has received, by path."""
        call = Call("GET", f"{_upload_path(upload_id)}/files", {"cursor": cursor, "limit": limit})
        return await self._caller.fetch(call, Page[ReceivedFile])

    def iterate_received(self, upload_id: str, *, page_size: int = 1_000) -> AsyncGenerator[ReceivedFile, None]:
        """Yield everything that an open upload has received, by path."""
        return iterate_pages(lambda cursor: self.list_received(upload_id, cursor=cursor, limit=page_size))

    async def put_upload_file(
        self,
        upload_id: str,
        path: str,
        content: bytes | AsyncIterator[bytes],
        *,
        claims: Mapping[str, str] | None = None,
    ) -> ReceivedFile:
        """Send one file of an upload; sending it again replaces it.

        Args:
            upload_id: The upload.
            path: Path of the file in the dataset.
            content: The whole content or its chunks.
            claims: Headers that say what the content must be, as `content_claims` makes them.
        """
        call = Call("PUT", f"{_upload_path(upload_id)}/files", {"path": path}, upload_headers(claims), content)
        return await self._caller.upload(call, ReceivedFile)

    async def commit_upload(self, upload_id: str, request: CommitUploadRequest) -> DatasetVersion:
        """Make one version of what an upload received; repeating it returns the same version.

        Raises:
            ConflictError: One of its paths changed in the meantime.
        """
        call = Call("POST", f"{_upload_path(upload_id)}/commit", body=request)
        return await self._caller.fetch(call, DatasetVersion, deadline_seconds=_COMMIT_SECONDS)

    async def abort_upload(self, upload_id: str) -> None:
        """Throw an upload away."""
        await self._caller.send(Call("DELETE", _upload_path(upload_id)))


def _upload_path(upload_id: str) -> str:
    return f"/data-management/uploads/{segment(upload_id)}"
