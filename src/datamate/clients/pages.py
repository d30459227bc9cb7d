"""Walks a paged list from its first item to its last."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TypeVar

from datamate.contracts.paging import Page

ItemT = TypeVar("ItemT")


async def iterate_pages(fetch_page: Callable[[str | None], Awaitable[Page[ItemT]]]) -> AsyncGenerator[ItemT, None]:
    """Yield every item of a list, fetching the next page when the last one is used up.

    Args:
        fetch_page: Returns the page after a cursor; None means the first one.
    """
    cursor: str | None = None
    while True:
        page = await fetch_page(cursor)
        for item in page.items:
            yield item
        if page.next_cursor is None:
            return
        cursor = page.next_cursor
