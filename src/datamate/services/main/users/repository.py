"""SQL of accounts."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from datamate.platform.db import Session
from datamate.services.main.users.models import UserRow

ADMIN_ROLE: Final = "ADMIN"


async def find(session: Session, user_id: int) -> UserRow | None:
    """Return the account with this id, or None."""
    return await session.get(UserRow, user_id)


async def find_by_username(session: Session, username: str) -> UserRow | None:
    """Return the account of this name, whatever the case of its letters, or None."""
    query = select(UserRow).where(func.lower(UserRow.username) == func.lower(username))
    return (await session.scalars(query)).one_or_none()


async def find_locked(session: Session, user_id: int) -> UserRow | None:
    """Return the account with this id and hold it until the transaction ends; None if there is none."""
    query = select(UserRow).where(UserRow.id == user_id).with_for_update()
    return (await session.scalars(query)).one_or_none()


async def list_page(session: Session, *, after_id: int, limit: int) -> Sequence[UserRow]:
    """Return up to `limit` accounts whose id is greater, in the order of their ids."""
    query = select(UserRow).where(UserRow.id > after_id).order_by(UserRow.id).limit(limit)
    return (await session.scalars(query)).all()


async def insert_user(
    session: Session, *, username: str, password_hash: str, email: str | None, role: str
) -> UserRow | None:
    """Insert an account and return it; None if the name is taken, also by a transaction that commits meanwhile."""
    statement = (
        insert(UserRow)
        .values(username=username, password=password_hash, email=email, role=role)
        .on_conflict_do_nothing(index_elements=[text("lower(username)")])
        .returning(UserRow)
    )
    return (await session.scalars(statement)).one_or_none()


async def lock_administrators(session: Session) -> frozenset[int]:
    """Return the ids of the administrators who can sign in, and hold their rows until the transaction ends.

    Two transactions that each take one administrator away meet here: the second one sees what the first one left.
    """
    query = (
        select(UserRow.id)
        .where(UserRow.role == ADMIN_ROLE, UserRow.enabled)
        .order_by(UserRow.id)  # one order for all, or two transactions wait for each other
        .with_for_update()
    )
    return frozenset(await session.scalars(query))


async def has_users(session: Session) -> bool:
    """Return whether there is any account."""
    return await session.scalar(select(UserRow.id).limit(1)) is not None


async def record_login(session: Session, user: UserRow, *, new_hash: str | None) -> bool:
    """Note that a user signed in; False if the account has changed since `user` was read.

    Args:
        session: A transaction.
        user: The account as it was when the password was checked.
        new_hash: Replaces the stored hash, if that one was made with outdated parameters.
    """
    statement = (
        update(UserRow)
        .where(UserRow.id == user.id, UserRow.enabled, UserRow.epoch == user.epoch)
        .values(last_login_at=func.now(), password=new_hash or UserRow.password)
        .returning(UserRow.id)
    )
    return await session.scalar(statement) is not None
