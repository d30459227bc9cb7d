"""Lists and colours tags, and puts them on datasets."""

from collections.abc import Collection
from typing import Final

from datamate.contracts.data_management.tags import PutTagRequest, Tag
from datamate.contracts.paging import Page
from datamate.core.paging import decode_cursor, encode_cursor
from datamate.platform.db import Session
from datamate.services.data_management.tags import repository
from datamate.services.data_management.tags.errors import TagInUseError, TagNotFoundError
from datamate.services.data_management.tags.models import TagRow

_DEFAULT_COLOR: Final[str] = PutTagRequest.model_fields["color"].default


async def list_tags(session: Session, *, cursor: str | None, limit: int) -> Page[Tag]:
    """Return one page of tags by name."""
    key = decode_cursor(cursor, kinds=(str,))
    rows = await repository.list_page(session, after_name=str(key[0]) if key else "", limit=limit + 1)
    more = encode_cursor((rows[limit - 1].name,)) if len(rows) > limit else None
    return Page[Tag](items=[_tag(row) for row in rows[:limit]], next_cursor=more)


async def put_tag(session: Session, request: PutTagRequest) -> Tag:
    """Make a tag, or change its colour."""
    return _tag(await repository.put(session, request.name, color=request.color))


async def delete_tag(session: Session, name: str) -> None:
    """Remove a tag.

    Raises:
        TagNotFoundError: There is no such tag.
        TagInUseError: Datasets carry it.
    """
    count = await repository.remove(session, name)
    if count is None:
        raise TagNotFoundError(f"There is no tag {name!r}.")
    if count:
        raise TagInUseError(f"The tag {name!r} is on {count} datasets; take it off them first.")


async def set_tags(session: Session, dataset_key: int, names: Collection[str]) -> None:
    """Make `names` the tags of a dataset; the caller holds the dataset's row."""
    wanted = set(names)
    present = set((await repository.tags_of(session, [dataset_key]))[dataset_key])
    await repository.detach(session, dataset_key, present - wanted)
    await repository.attach(session, dataset_key, wanted - present, color=_DEFAULT_COLOR)


async def tags_of(session: Session, dataset_keys: Collection[int]) -> dict[int, list[str]]:
    """Return the names of the tags of each dataset, sorted."""
    return await repository.tags_of(session, dataset_keys)


def _tag(row: TagRow) -> Tag:
    return Tag(name=row.name, color=row.color, dataset_count=row.dataset_count)
