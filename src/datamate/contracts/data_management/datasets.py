"""Datasets: named, versioned sets of files."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from datamate.contracts.base import Name, RequestBody, ResponseBody


class DatasetType(StrEnum):
    """What the files of a dataset are."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    DOCUMENT = "document"
    TABULAR = "tabular"
    MULTIMODAL = "multimodal"


class DatasetStatus(StrEnum):
    """Whether a dataset can be used."""

    ACTIVE = "active"
    DELETED = "deleted"


class Dataset(ResponseBody):
    """A dataset as it is at its newest version."""

    id: str
    name: str
    description: str
    type: DatasetType
    status: DatasetStatus
    created_by: str = Field(description="Id of the user who made it.")
    created_at: datetime
    updated_at: datetime
    version: int = Field(description="Number of the newest version; 0 before the first file.")
    file_count: int
    size_bytes: int
    tags: list[str]


class CreateDatasetRequest(RequestBody):
    """A new, empty dataset. Names are unique among datasets that are not deleted."""

    name: Name
    description: str = Field("", max_length=10_000)
    type: DatasetType = DatasetType.TEXT
    tags: list[Name] = Field([], max_length=100)


class UpdateDatasetRequest(RequestBody):
    """Changes to a dataset; fields left out stay as they are."""

    name: Name | None = None
    description: str | None = Field(None, max_length=10_000)
    tags: list[Name] | None = Field(None, max_length=100)
