"""Datasets of a server: their files and versions, uploads and downloads."""

from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Literal

from datamate.contracts.data_management.datasets import (
    CreateDatasetRequest,
    Dataset,
    DatasetType,
    UpdateDatasetRequest,
)
from datamate.contracts.data_management.files import DeleteFilesRequest, File
from datamate.contracts.data_management.versions import DatasetVersion, FileChange, Lineage
from datamate.core.errors import InvalidInputError, NotFoundError
from datamate.sdk.connection import Connection
from datamate.sdk.dataset_reference import DatasetReference, find_dataset, find_dataset_id
from datamate.sdk.download import DownloadPlan, DownloadResult, download, place_below
from datamate.sdk.local_files import find_local_files
from datamate.sdk.requests import make_request
from datamate.sdk.transfer import OnProgress
from datamate.sdk.upload import UploadPlan, UploadResult, upload

PARALLEL_FILES = 8

LocalPath = str | PathLike[str]


class Datasets:
    """Makes, shows, fills and deletes datasets. Every `dataset` is one at hand, its id, or its name."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._client = connection.data_management

    def list(self, *, tag: str | None = None, dataset_type: DatasetType | None = None) -> Iterator[Dataset]:
        """Yield datasets, newest first, perhaps only those that carry a tag or are of a type."""
        return self._connection.iterate(self._client.iterate_datasets(tag=tag, dataset_type=dataset_type))

    def create(
        self,
        name: str,
        *,
        description: str = "",
        dataset_type: DatasetType | str = DatasetType.TEXT,
        tags: Sequence[str] = (),
    ) -> Dataset:
        """Make an empty dataset.

        Raises:
            InvalidInputError: A value does not fit; `errors` names the field.
            ConflictError: Another dataset has this name.
        """
        values = {"name": name, "description": description, "type": dataset_type, "tags": [*tags]}
        request = make_request(CreateDatasetRequest, values)
        return self._connection.call(self._client.create_dataset(request))

    def get(self, dataset: DatasetReference) -> Dataset:
        """Return a dataset as it is now.

        Raises:
            NotFoundError: There is none; the message shows names that come near.
        """
        return self._connection.call(find_dataset(self._client, dataset))

    def update(
        self,
        dataset: DatasetReference,
        *,
        name: str | None = None,
        description: str | None = None,
        tags: Sequence[str] | None = None,
    ) -> Dataset:
        """Change a dataset; what is None stays as it is."""
        changes = {"name": name, "description": description, "tags": None if tags is None else [*tags]}
        request = make_request(
            UpdateDatasetRequest, {key: value for key, value in changes.items() if value is not None}
        )
        return self._connection.call(self._client.update_dataset(self._id(dataset), request))

    def delete(self, dataset: DatasetReference) -> None:
        """Delete a dataset; only its owner and administrators may."""
        self._connection.call(self._client.delete_dataset(self._id(dataset)))

    def files(self, dataset: DatasetReference, *, version: int | None = None, prefix: str = "") -> Iterator[File]:
        """Yield the files of a version, by path; of the newest version if it is None.

        Args:
            dataset: The dataset.
            version: Which version.
            prefix: Only paths that begin so, such as `folder/`.
        """
        return self._connection.iterate(self._client.iterate_files(self._id(dataset), version=version, prefix=prefix))

    def versions(self, dataset: DatasetReference) -> Iterator[DatasetVersion]:
        """Yield the versions of a dataset, newest first."""
        return self._connection.iterate(self._client.iterate_versions(self._id(dataset)))

    def diff(self, dataset: DatasetReference, version: int, *, base: int | None = None) -> Iterator[FileChange]:
        """Yield the paths that differ between `base`, or the version before, and `version`."""
        return self._connection.iterate(self._client.iterate_diff(self._id(dataset), version, base=base))

    def lineage(self, dataset: DatasetReference, version: int | None = None) -> Lineage:
        """Return everything that a version, or the newest, was made from, nearest first."""
        dataset_id, number = self._id_and_version(dataset, version)
        return self._connection.call(self._client.get_lineage(dataset_id, number))

    def upload(  # noqa: PLR0913 - what can be chosen about an upload, each by name
        self,
        dataset: DatasetReference,
        sources: LocalPath | Sequence[LocalPath],
        *,
        into: str = "",
        message: str = "",
        mode: Literal["merge", "replace"] = "merge",
        on_progress: OnProgress | None = None,
        parallel: int = PARALLEL_FILES,
    ) -> UploadResult:
        """Upload files and folders as one new version; what the dataset has already is not sent again.

        Args:
            dataset: Where to.
            sources: Files, which keep their names, and folders, whose files keep their paths inside the folder.
            into: Folder in the dataset to put them in.
            message: What the new version is about.
            mode: `merge` leaves other files as they are; `replace` makes a version of these files alone, and sends
                all of them.
            on_progress: Called often, from the thread of the client.
            parallel: Files on their way at a time.

        Raises:
            LocalFileError: A file cannot be read or changed while it was sent.
            ConflictError: Somebody changed one of the files in the meantime.
        """
        given = [sources] if isinstance(sources, str | PathLike) else sources
        files = find_local_files([Path(source) for source in given], into=into)
        plan = UploadPlan(self._id(dataset), files, message, mode, parallel)
        return self._connection.call(upload(self._client, plan, on_progress))

    def download(  # noqa: PLR0913 - what can be chosen about a download, each by name
        self,
        dataset: DatasetReference,
        folder: LocalPath,
        *,
        version: int | None = None,
        prefix: str = "",
        on_progress: OnProgress | None = None,
        parallel: int = PARALLEL_FILES,
    ) -> DownloadResult:
        """Download the files of a version into a folder; what is there already is not fetched again.

        Every file is verified against its hash and put in its place when it is complete.

        Args:
            dataset: Where from.
            folder: Where to; made if it does not exist.
            version: Which version; the newest if None.
            prefix: Only paths that begin so, such as `folder/`.
            on_progress: Called often, from the thread of the client.
            parallel: Files on their way at a time.

        Raises:
            LocalFileError: A file cannot be written.
        """
        dataset_id, number = self._id_and_version(dataset, version)
        files = self.files(dataset_id, version=number, prefix=prefix)
        targets = [(file, place_below(Path(folder), file.path)) for file in files]
        plan = DownloadPlan(dataset_id, number, targets, parallel)
        return self._connection.call(download(self._client, plan, on_progress))

    def download_file(
        self,
        dataset: DatasetReference,
        path: str,
        target: LocalPath,
        *,
        version: int | None = None,
        on_progress: OnProgress | None = None,
    ) -> DownloadResult:
        """Download one file, as `download` does.

        Args:
            dataset: Where from.
            path: Its path in the dataset.
            target: The file to write; an existing one is replaced when the new one is complete.
            version: Which version; the newest if None.
            on_progress: Called often, from the thread of the client.

        Raises:
            NotFoundError: The version has no file at this path.
        """
        dataset_id, number = self._id_and_version(dataset, version)
        file = next((file for file in self.files(dataset_id, version=number, prefix=path) if file.path == path), None)
        if file is None:
            raise NotFoundError(f"Version {number} has no file '{path}'.", code="file_not_found")
        plan = DownloadPlan(dataset_id, number, [(file, Path(target))], 1)
        return self._connection.call(download(self._client, plan, on_progress))

    def delete_files(self, dataset: DatasetReference, paths: Sequence[str]) -> DatasetVersion:
        """Remove files in one new version; older versions keep them."""
        request = make_request(DeleteFilesRequest, {"paths": [*paths]})
        return self._connection.call(self._client.delete_files(self._id(dataset), request))

    def _id(self, dataset: DatasetReference) -> str:
        return self._connection.call(find_dataset_id(self._client, dataset))

    def _id_and_version(self, dataset: DatasetReference, version: int | None) -> tuple[str, int]:
        if version is not None:
            return self._id(dataset), version
        found = self.get(dataset)
        if found.version == 0:
            raise InvalidInputError(f"The dataset '{found.name}' has no file yet; upload some first.")
        return found.id, found.version
