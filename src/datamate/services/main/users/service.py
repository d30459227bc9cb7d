"""Creates and changes accounts; whatever changes what a user may do signs the user out at once."""

from typing import Final

from datamate.contracts.main.events import UserChanged
from datamate.contracts.main.users import CreateUserRequest, UpdateUserRequest, User
from datamate.contracts.paging import Page
from datamate.core.errors import FieldError, InvalidInputError
from datamate.core.paging import decode_cursor, encode_cursor
from datamate.platform.cache import Cache
from datamate.platform.db import Session
from datamate.platform.security import PasswordHasher
from datamate.services.main.roles.service import require_role
from datamate.services.main.users import repository
from datamate.services.main.users.errors import LastAdministratorError, UsernameTakenError, UserNotFoundError
from datamate.services.main.users.models import UserRow
from datamate.services.main.users.passwords import password_text

PRINCIPALS: Final = "principals"
"""Cache of what the gateway knows of a user; keyed by the user's id."""

_NOT_NULL: Final = ("role", "enabled", "password")


async def get_user(session: Session, user_id: int) -> User:
    """Return an account.

    Raises:
        UserNotFoundError: There is none with this id.
    """
    row = await repository.find(session, user_id)
    if row is None:
        raise UserNotFoundError(f"There is no user {user_id}.")
    return _user(row)


async def list_users(session: Session, *, cursor: str | None, limit: int) -> Page[User]:
    """Return one page of accounts in the order of their making."""
    key = decode_cursor(cursor, kinds=(int,))
    after_id = int(key[0]) if key else 0
    rows = await repository.list_page(session, after_id=after_id, limit=limit + 1)
    more = encode_cursor((rows[limit - 1].id,)) if len(rows) > limit else None
    return Page[User](items=[_user(row) for row in rows[:limit]], next_cursor=more)


async def create_user(session: Session, request: CreateUserRequest, *, passwords: PasswordHasher, cache: Cache) -> User:
    """Add an account.

    Raises:
        UnknownRoleError: There is no such role.
        UsernameTakenError: Another account has this name, in whatever case.
    """
    # Before the first query: the hash takes 30 ms, during which no connection is held.
    password_hash = await passwords.hash(password_text(request.password))
    await require_role(session, request.role)
    row = await repository.insert_user(
        session, username=request.username, password_hash=password_hash, email=request.email, role=request.role
    )
    if row is None:
        fault = FieldError("username", f"{request.username} is taken; choose another one")
        raise UsernameTakenError(f"There is a user {request.username} already.", errors=[fault])
    await _announce(session, row, cache=cache)
    return _user(row)


async def update_user(
    session: Session, user_id: int, request: UpdateUserRequest, *, passwords: PasswordHasher, cache: Cache
) -> User:
    """Change an account; a new role, password or admission ends every session of the user.

    Raises:
        UserNotFoundError: There is no account with this id.
        UnknownRoleError: There is no such role.
        LastAdministratorError: Nobody could administer the platform afterwards.
        InvalidInputError: A field that cannot be empty is null.
    """
    _refuse_nulls(request)
    password_hash = await passwords.hash(password_text(request.password)) if request.password else None
    if request.role is not None:
        await require_role(session, request.role)
    row = await _lock(session, user_id, request)
    signs_out = _apply(row, request, password_hash=password_hash)
    if session.is_modified(row):
        row.version += 1
        row.epoch += signs_out
        await _announce(session, row, cache=cache)
    return _user(row)


def _refuse_nulls(request: UpdateUserRequest) -> None:
    sent = request.model_fields_set
    faults = [
        FieldError(name, "null is not a value here; leave the field out to keep it as it is")
        for name in _NOT_NULL
        if name in sent and getattr(request, name) is None
    ]
    if faults:
        raise InvalidInputError("Some fields cannot be null.", errors=faults)


async def _lock(session: Session, user_id: int, request: UpdateUserRequest) -> UserRow:
    """Return the account, held, after checking that an administrator would remain."""
    demotes = request.role not in {None, repository.ADMIN_ROLE}
    if demotes or request.enabled is False:
        administrators = await repository.lock_administrators(session)
        if administrators == {user_id}:
            raise LastAdministratorError(errors=[_last_administrator_fault(demotes=demotes)])
    row = await repository.find_locked(session, user_id)
    if row is None:
        raise UserNotFoundError(f"There is no user {user_id}.")
    return row


def _last_administrator_fault(*, demotes: bool) -> FieldError:
    field = "role" if demotes else "enabled"
    return FieldError(field, "the last administrator cannot lose this; make another one first")


def _apply(row: UserRow, request: UpdateUserRequest, *, password_hash: str | None) -> bool:
    """Write the changes into the row and return whether they sign the user out."""
    before = (row.role, row.enabled)
    if "email" in request.model_fields_set:
        row.email = request.email
    row.role = request.role or row.role
    row.enabled = row.enabled if request.enabled is None else request.enabled
    row.password = password_hash or row.password
    return password_hash is not None or (row.role, row.enabled) != before


async def _announce(session: Session, row: UserRow, *, cache: Cache) -> None:
    await cache.bump(session, PRINCIPALS, str(row.id))
    session.publish(UserChanged(aggregate_id=str(row.id), aggregate_version=row.version))


def _user(row: UserRow) -> User:
    return User(
        id=row.id,
        username=row.username,
        email=row.email,
        role=row.role,
        enabled=row.enabled,
        created_at=row.created_at,
    )
