"""The shape of every list."""

from typing import Generic, TypeVar

from pydantic import Field

from datamate.contracts.base import ResponseBody

ItemT = TypeVar("ItemT")


class Page(ResponseBody, Generic[ItemT]):
    """One page of a list."""

    items: list[ItemT]
    next_cursor: str | None = Field(None, description="Give this as `cursor` to read on; null on the last page.")
    total: int | None = Field(None, description="Items in the whole list, where a counter knows; null elsewhere.")
