"""SQL of tags."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from datamate.platform.db import Session
from datamate.services.data_management.tags.models import DatasetTagRow, TagRow


async def list_page(session: Session, *, after_name: str, limit: int) -> Sequence[TagRow]:
    """Return up to `limit` tags whose name comes after `after_name`, by name."""
    query = select(TagRow).where(TagRow.name > after_name).order_by(TagRow.name).limit(limit)
    return (await session.scalars(query)).all()


async def put(session: Session, name: str, *, color: str) -> TagRow:
    """Insert a tag, or change its colour, and return it."""
    statement = insert(TagRow).values(name=name, color=color)
    statement = statement.on_conflict_do_update(index_elements=[TagRow.name], set_={"color": color})
    options = {"populate_existing": True}
    return (await session.scalars(statement.returning(TagRow), execution_options=options)).one()


async def remove(session: Session, name: str) -> int | None:
    """Remove a tag that no dataset carries; return how many carry it, None if there is no such tag."""
    query = select(TagRow).where(TagRow.name == name).with_for_update()
    row = (await session.scalars(query)).one_or_none()
    if row is None:
        return None
    if row.dataset_count == 0:
        await session.delete(row)
    return row.dataset_count


async def tags_of(session: Session, dataset_keys: Collection[int]) -> dict[int, list[str]]:
    """Return the names of the tags of each dataset, sorted; a dataset without tags has an empty list."""
    found: dict[int, list[str]] = defaultdict(list)
    query = select(DatasetTagRow.dataset_key, DatasetTagRow.tag).where(DatasetTagRow.dataset_key.in_(dataset_keys))
    for key, tag in await session.execute(query.order_by(DatasetTagRow.tag)):
        found[key].append(tag)
    return found


async def attach(session: Session, dataset_key: int, names: Collection[str], *, color: str) -> None:
    """Put tags on a dataset that does not carry them; make those that do not exist."""
    if not names:
        return
    # Sorted: two transactions that touch the same tags take their locks in the same order.
    ordered = sorted(names)
    made = insert(TagRow).values([{"name": name, "color": color, "dataset_count": 1} for name in ordered])
    counted = made.on_conflict_do_update(
        index_elements=[TagRow.name], set_={"dataset_count": TagRow.dataset_count + made.excluded.dataset_count}
    )
    await session.execute(counted)
    await session.execute(insert(DatasetTagRow).values([{"dataset_key": dataset_key, "tag": name} for name in ordered]))


async def detach(session: Session, dataset_key: int, names: Collection[str]) -> None:
    """Take tags off a dataset that carries them."""
    if not names:
        return
    taken = delete(DatasetTagRow).where(DatasetTagRow.dataset_key == dataset_key, DatasetTagRow.tag.in_(names))
    await session.execute(taken)
    locked = select(TagRow.name).where(TagRow.name.in_(names)).order_by(TagRow.name).with_for_update()
    await session.execute(locked)
    counted = update(TagRow).where(TagRow.name.in_(names)).values(dataset_count=TagRow.dataset_count - 1)
    await session.execute(counted, execution_options={"synchronize_session": False})
