"""Versions of a dataset, what changed between them, and where each came from."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from datamate.contracts.base import ResponseBody


class DatasetVersion(ResponseBody):
    """One state of a dataset, kept for good."""

    dataset_id: str
    version: int = Field(ge=1)
    hash: str | None = Field(
        description="BLAKE3 over its paths, sizes and content hashes: equal content, equal hash. Null in lists and "
        "commits of large versions until the version itself is read, which computes it."
    )
    file_count: int
    size_bytes: int
    added: int = Field(description="Files that this version added.")
    changed: int
    removed: int
    message: str
    created_by: str
    created_at: datetime
    source_run_id: str | None = Field(None, description="The run that made it, if one did.")


class FileChange(ResponseBody):
    """One path that differs between two versions."""

    path: str
    change: Literal["added", "changed", "removed"]
    size_bytes: int | None = Field(None, description="Size in the newer version; null if removed.")
    hash: str | None = None


class LineageNode(ResponseBody):
    """A dataset version in a lineage graph."""

    dataset_id: str
    dataset_name: str
    version: int


class LineageEdge(ResponseBody):
    """One version was made from another by a run."""

    source: LineageNode
    target: LineageNode
    run_id: str


class Lineage(ResponseBody):
    """Everything that a version was made from, nearest first."""

    version: LineageNode
    edges: list[LineageEdge]
