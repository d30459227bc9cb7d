"""Files of a dataset: their list, their content, and changes that make a version of one file."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from datamate.clients.caller import Call
from datamate.clients.data_management.part import ClientPart, dataset_path
from datamate.clients.pages import iterate_pages
from datamate.clients.transport import TransportResponse
from datamate.contracts.data_management.files import DeleteFilesRequest, File, RenameFileRequest, UploadedFile
from datamate.contracts.data_management.versions import DatasetVersion
from datamate.contracts.paging import Page
from datamate.core.errors import UnavailableError
from datamate.core.paging import DEFAULT_PAGE_SIZE

BLAKE3_HEADER = "x-content-blake3"


@dataclass(frozen=True, slots=True)
class Download:
    """The content of a file, or a part of it, on its way.

    Attributes:
        size_bytes: How much will come.
        etag: Names this content, so that a part fetched later fits.
        is_part: Whether the server gave the range that was asked for; if not, the whole file comes.
    """

    size_bytes: int
    etag: str
    is_part: bool
    _response: TransportResponse

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the content as it arrives; may be called once.

        Raises:
            UnavailableError: The connection broke before the end.
        """
        received = 0
        async for chunk in self._response.chunks():
            received += len(chunk)
            yield chunk
        if received != self.size_bytes:
            raise UnavailableError(f"Only {received} of {self.size_bytes} bytes came; try again.")


class FileCalls(ClientPart):
    """Calls of files."""

    async def list_files(
        self,
        dataset_id: str,
        *,
        version: int | None = None,
        prefix: str = "",
        cursor: str | None = None,
        limit: int = DEFAULT_PAGE_SIZE,
    ) -> Page[File]:
        """Return a page of the files of a version, by path.

        Args:
            dataset_id: The dataset.
            version: Which version; the newest if None.
            prefix: Only paths that begin so, such as `folder/`.
            cursor: `next_cursor` of the page before.
            limit: Most items on the page.
        """
        query = {"version": version, "prefix": prefix or None, "cursor": cursor, "limit": limit}
        return await self._caller.fetch(Call("GET", dataset_path(dataset_id, "files"), query), Page[File])

    def iterate_files(
        self, dataset_id: str, *, version: int | None = None, prefix: str = "", page_size: int = 1_000
    ) -> AsyncGenerator[File, None]:
        """Yield every file of a version, by path."""
        return iterate_pages(
            lambda cursor: self.list_files(dataset_id, version=version, prefix=prefix, cursor=cursor, limit=page_size)
        )

    async def get_file(self, dataset_id: str, file_id: str, *, version: int | None = None) -> File:
        """Return what is known of a file."""
        call = Call("GET", dataset_path(dataset_id, "files", file_id), {"version": version})
        return await self._caller.fetch(call, File)

    @asynccontextmanager
    async def open_content(
        self,
        dataset_id: str,
        file_id: str,
        *,
        version: int | None = None,
        start: int = 0,
        etag: str | None = None,
    ) -> AsyncIterator[Download]:
        """Open the content of a file; leaving the context before its end cancels the transfer.

        Args:
            dataset_id: The dataset.
            file_id: The file.
            version: Which version; the newest if None.
            start: First byte wanted.
            etag: The content of which earlier bytes are at hand; if it changed, the whole file comes.

        Raises:
            RangeNotSatisfiableError: The file ends before `start`.
        """
        headers = {"accept": "*/*"}
        if start:
            headers["range"] = f"bytes={start}-"
        if etag:
            headers["if-range"] = etag
        path = dataset_path(dataset_id, "files", file_id, "content")
        async with self._caller.open(Call("GET", path, {"version": version}, headers)) as response:
            size = int(response.headers["content-length"])
            yield Download(size, response.headers.get("etag", ""), response.status == 206, response)

    async def put_file(
        self,
        dataset_id: str,
        path: str,
        content: bytes | AsyncIterator[bytes],
        *,
        claims: Mapping[str, str] | None = None,
    ) -> UploadedFile:
        """Store one file of any size as a new version.

        Args:
            dataset_id: The dataset.
            path: Path of the file in the dataset.
            content: The whole content or its chunks.
            claims: Headers that say what the content must be, as `content_claims` makes them.
        """
        call = Call("PUT", dataset_path(dataset_id, "files"), {"path": path}, upload_headers(claims), content)
        return await self._caller.upload(call, UploadedFile)

    async def rename_file(self, dataset_id: str, file_id: str, request: RenameFileRequest) -> UploadedFile:
        """Give a file another path in a new version; its id stays."""
        return await self._caller.fetch(
            Call("PATCH", dataset_path(dataset_id, "files", file_id), body=request), UploadedFile
        )

    async def delete_files(self, dataset_id: str, request: DeleteFilesRequest) -> DatasetVersion:
        """Remove files in one new version; older versions keep them."""
        return await self._caller.fetch(
            Call("POST", dataset_path(dataset_id, "files", "delete"), body=request), DatasetVersion
        )


def content_claims(*, size_bytes: int | None = None, blake3: str | None = None) -> dict[str, str]:
    """Return headers with which the service checks that a content came whole.

    Args:
        size_bytes: Its exact size.
        blake3: Its BLAKE3, 64 hexadecimal digits.
    """
    claims = {"content-length": None if size_bytes is None else str(size_bytes), BLAKE3_HEADER: blake3}
    return {name: value for name, value in claims.items() if value is not None}


def upload_headers(claims: Mapping[str, str] | None) -> dict[str, str]:
    """Return the headers of a request whose body is a file."""
    return {"content-type": "application/octet-stream", **(claims or {})}
