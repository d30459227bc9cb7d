"""Files of a dataset, and the changes that make a new version."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from datamate.contracts.base import RequestBody, ResponseBody
from datamate.contracts.data_management.versions import DatasetVersion


class File(ResponseBody):
    """One file of one version."""

    id: str = Field(description="Stable across versions and renames.")
    path: str = Field(description="Relative, with / between folders, Unicode NFC.")
    size_bytes: int
    hash: str = Field(description="BLAKE3 of the content: 64 hexadecimal digits.")
    media_type: str
    created_at: datetime
    version: int = Field(description="Version that brought this content.")


class UploadedFile(ResponseBody):
    """What an upload did: the file and the version it made."""

    file: File
    version: DatasetVersion


class UploadedFiles(ResponseBody):
    """What an upload of several files did: the files and the one version they made."""

    files: list[File]
    version: DatasetVersion


class RenameFileRequest(RequestBody):
    """A new path for a file, in one new version; the file keeps its id."""

    path: str = Field(min_length=1)
    base_version: int | None = Field(
        None, ge=0, description="Refuse if the file or the path changed after this version."
    )


class DeleteFilesRequest(RequestBody):
    """Paths to remove in one new version."""

    paths: list[str] = Field(min_length=1, max_length=10_000)
    base_version: int | None = Field(None, ge=0, description="Refuse if one of the paths changed after this version.")


class ManifestFile(ResponseBody):
    """Where the bytes of one file are, for a part of DataMate that reads the object store itself."""

    path: str
    size_bytes: int
    hash: str
    media_type: str
    object_key: str


class StagedFile(RequestBody):
    """A file whose bytes a part of DataMate already wrote to the object store, below `staging/`."""

    path: str = Field(min_length=1, max_length=1024)
    object_key: str = Field(pattern=r"^staging/[A-Za-z0-9._/-]+$", max_length=500)
    size_bytes: int = Field(ge=0)
    hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    media_type: str = Field("application/octet-stream", max_length=255)


class LineageInput(RequestBody):
    """A version that another one was made from."""

    dataset_id: str
    version: int = Field(ge=1)


class PublishVersionRequest(RequestBody):
    """A new version made by a run: its files replace those of the dataset. Repeating it returns the first result."""

    source_run_id: str = Field(min_length=1, max_length=50)
    mode: Literal["replace", "merge"] = "replace"
    files: list[StagedFile] = Field(max_length=100_000)
    inputs: list[LineageInput] = Field([], max_length=100)
    message: str = Field("", max_length=1_000)
