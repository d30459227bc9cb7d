"""The upload side of the data_management client as the SDK uses it, with faults put in."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

from datamate.contracts.data_management.datasets import Dataset, DatasetStatus, DatasetType
from datamate.contracts.data_management.files import File
from datamate.contracts.data_management.uploads import CommitUploadRequest, CreateUploadRequest, Upload, UploadStatus
from datamate.contracts.data_management.versions import DatasetVersion

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class UploadService:
    def __init__(
        self,
        *,
        known: Mapping[str, str] | None = None,
        faults: dict[str, list[Exception]] | None = None,
        commit_fault: Exception | None = None,
    ):
        self._known = known or {}
        self._faults = faults or {}
        self._commit_fault = commit_fault
        self.received: dict[str, bytes] = {}
        self.commits = self.aborts = 0

    async def get_dataset(self, dataset_id: str) -> Dataset:
        return Dataset(
            id=dataset_id, name="d", description="", type=DatasetType.TEXT, status=DatasetStatus.ACTIVE,
            created_by="1", created_at=NOW, updated_at=NOW, version=7 if self._known else 0,
            file_count=len(self._known), size_bytes=0, tags=[],
        )  # fmt: skip

    async def iterate_files(self, _dataset_id: str) -> AsyncIterator[File]:
        for path, digest in self._known.items():
            yield File(id=path, path=path, size_bytes=10, hash=digest, media_type="x/y", created_at=NOW, version=1)

    async def create_upload(self, request: CreateUploadRequest) -> Upload:
        return Upload(
            id="u", dataset_id=request.dataset_id, status=UploadStatus.OPEN, base_version=0, message=request.message,
            created_by="1", created_at=NOW, expires_at=NOW,
        )  # fmt: skip

    async def put_upload_file(
        self, _upload_id: str, path: str, content: AsyncIterator[bytes], *, claims: Mapping[str, str]
    ) -> None:
        body = b"".join([chunk async for chunk in content])
        if self._faults.get(path):
            raise self._faults[path].pop(0)
        assert claims["content-length"] == str(len(body))
        self.received[path] = body

    async def commit_upload(self, _upload_id: str, _request: CommitUploadRequest) -> DatasetVersion:
        if self._commit_fault is not None:
            raise self._commit_fault
        self.commits += 1
        return await self.get_version("d", 8)

    async def abort_upload(self, _upload_id: str) -> None:
        self.aborts += 1

    async def get_version(self, dataset_id: str, version: int) -> DatasetVersion:
        return DatasetVersion(
            dataset_id=dataset_id, version=version, hash="0" * 64, file_count=0, size_bytes=0, added=0, changed=0,
            removed=0, message="", created_by="1", created_at=NOW,
        )  # fmt: skip
