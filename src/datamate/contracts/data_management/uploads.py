"""Uploads: files that arrive one by one, in any order, and become one version together."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from datamate.contracts.base import RequestBody, ResponseBody


class UploadStatus(StrEnum):
    """The life of an upload: open, then one of three ends."""

    OPEN = "open"
    COMMITTED = "committed"
    ABORTED = "aborted"
    EXPIRED = "expired"


class CreateUploadRequest(RequestBody):
    """Open an upload; its files become visible when it is committed, and not before."""

    dataset_id: str = Field(min_length=1, max_length=50)
    base_version: int | None = Field(
        None,
        ge=0,
        description="The commit is refused if one of its paths changed after this version; now, if left out.",
    )
    message: str = Field("", max_length=1_000, description="What the new version is about.")


class Upload(ResponseBody):
    """An upload as its owner sees it."""

    id: str
    dataset_id: str
    status: UploadStatus
    base_version: int
    message: str
    created_by: str
    created_at: datetime
    expires_at: datetime = Field(description="When an upload that is still open is thrown away.")
    version: int | None = Field(None, description="The version that holds its files, once it is committed.")


class ReceivedFile(ResponseBody):
    """A file that an upload has received; part of no version yet."""

    path: str
    size_bytes: int
    hash: str = Field(description="BLAKE3 of the content: 64 hexadecimal digits.")
    media_type: str


class CommitUploadRequest(RequestBody):
    """Make one version of everything that an upload received. Repeating it returns the first result."""

    mode: Literal["merge", "replace"] = Field(
        "merge", description="merge: other files stay as they are. replace: the version holds these files alone."
    )
    removed_paths: list[str] = Field([], max_length=10_000, description="Files to remove in the same version.")
    message: str | None = Field(None, max_length=1_000, description="Replaces the message of the upload.")
