"""Says who a user is at this moment; asked by the gateway for requests, by the worker for tasks."""

from datamate.contracts.main.users import PrincipalRecord
from datamate.platform.cache import Cache, cached
from datamate.platform.db import Database
from datamate.services.main.principals import repository
from datamate.services.main.users.errors import UserNotFoundError
from datamate.services.main.users.service import PRINCIPALS


@cached(PRINCIPALS, key="{user_id}", ttl_seconds=60)
async def get_principal(database: Database, user_id: int, *, cache: Cache) -> PrincipalRecord:  # noqa: ARG001 - @cached reads through it
    """Return a user's role, permissions, admission and epoch; a disabled user is returned too.

    Raises:
        UserNotFoundError: There is no such user.
    """
    async with database.reader() as session:
        principal = await repository.find_principal(session, user_id)
    if principal is None:
        raise UserNotFoundError(f"There is no user {user_id}.")
    return principal
