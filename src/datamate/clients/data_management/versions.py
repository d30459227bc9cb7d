"""Versions of a dataset: their list, what changed, where they came from, and how runs read and publish them."""

from collections.abc import AsyncGenerator

from datamate.clients.caller import Call
from datamate.clients.data_management.part import ClientPart, dataset_path
from datamate.clients.pages import iterate_pages
from datamate.contracts.data_management.files import ManifestFile, PublishVersionRequest
from datamate.contracts.data_management.versions import DatasetVersion, FileChange, Lineage
from datamate.contracts.paging import Page
from datamate.core.paging import DEFAULT_PAGE_SIZE

_PUBLISH_SECONDS = 600.0
"""Publishing copies what a run staged into the store of blobs."""


class VersionCalls(ClientPart):
    """Calls of versions."""

    async def list_versions(
        self, dataset_id: str, *, cursor: str | None = None, limit: int = DEFAULT_PAGE_SIZE
    ) -> Page[DatasetVersion]:
        """Return a page of the versions of a dataset, newest first."""
        call = Call("GET", dataset_path(dataset_id, "versions"), {"cursor": cursor, "limit": limit})
        return await self._caller.fetch(call, Page[DatasetVersion])

    def iterate_versions(self, dataset_id: str, *, page_size: int = 200) -> AsyncGenerator[DatasetVersion, None]:
        """Yield every version of a dataset, newest first."""
        return iterate_pages(lambda cursor: self.list_versions(dataset_id, cursor=cursor, limit=page_size))

    async def get_version(self, dataset_id: str, version: int) -> DatasetVersion:
        """Return one version.

        Raises:
            NotFoundError: There is no such dataset or version.
        """
        return await self._caller.fetch(Call("GET", dataset_path(dataset_id, "versions", version)), DatasetVersion)

    async def diff_versions(
        self,
        dataset_id: str,
        version: int,
        *,
        base: int | None = None,
        cursor: str | None = None,
        limit: int = DEFAULT_PAGE_SIZE,
    ) -> Page[FileChange]:
        """Return a page of the paths that differ between `base`, or the version before, and `version`."""
        call = Call(
            "GET",
            dataset_path(dataset_id, "versions", version, "diff"),
            {"base": base, "cursor": cursor, "limit": limit},
        )
        return await self._caller.fetch(call, Page[FileChange])

    def iterate_diff(
        self, dataset_id: str, version: int, *, base: int | None = None, page_size: int = 1_000
    ) -> AsyncGenerator[FileChange, None]:
        """Yield every path that differs between `base`, or the version before, and `version`."""
        return iterate_pages(
            lambda cursor: self.diff_versions(dataset_id, version, base=base, cursor=cursor, limit=page_size)
        )

    async def get_lineage(self, dataset_id: str, version: int) -> Lineage:
        """Return everything that a version was made from, nearest first."""
        return await self._caller.fetch(Call("GET", dataset_path(dataset_id, "versions", version, "lineage")), Lineage)

    async def read_manifest(
        self, dataset_id: str, version: int, *, cursor: str | None = None, limit: int = DEFAULT_PAGE_SIZE
    ) -> Page[ManifestFile]:
        """Return a page of the files of a version with the objects that hold them; for parts of DataMate alone."""
        call = Call(
            "GET", dataset_path(dataset_id, "versions", version, "manifest"), {"cursor": cursor, "limit": limit}
        )
        return await self._caller.fetch(call, Page[ManifestFile])

    def iterate_manifest(
        self, dataset_id: str, version: int, *, page_size: int = 1_000
    ) -> AsyncGenerator[ManifestFile, None]:
        """Yield every file of a version with the object that holds it; for parts of DataMate alone."""
        return iterate_pages(lambda cursor: self.read_manifest(dataset_id, version, cursor=cursor, limit=page_size))

    async def publish_version(self, dataset_id: str, request: PublishVersionRequest) -> DatasetVersion:
        """Make a version of what a run staged; repeating it returns the first result. For parts of DataMate alone."""
        call = Call("POST", dataset_path(dataset_id, "versions"), body=request)
        seconds = max(_PUBLISH_SECONDS, self._caller.deadline_seconds)
        return await self._caller.fetch(call, DatasetVersion, deadline_seconds=seconds)
