"""Tags: words that group datasets."""

from pydantic import Field

from datamate.contracts.base import Name, RequestBody, ResponseBody


class Tag(ResponseBody):
    """A tag and how many datasets carry it."""

    name: str
    color: str
    dataset_count: int


class PutTagRequest(RequestBody):
    """A tag to create or recolour."""

    name: Name
    color: str = Field("#64748b", pattern=r"^#[0-9a-f]{6}$")


class Statistics(ResponseBody):
    """Sums over every dataset, kept as running totals."""

    dataset_count: int
    file_count: int
    size_bytes: int
