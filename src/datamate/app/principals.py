"""Who a user is at this moment, for work on the user's behalf that no request carries."""

from datamate.clients.caller import Call, Caller, segment
from datamate.clients.transport import Transport
from datamate.contracts.main.users import PrincipalRecord
from datamate.core.errors import PermissionDeniedError
from datamate.platform.security import Principal


class PrincipalSource:
    """Asks the main service."""

    def __init__(self, main: Transport) -> None:
        """Use a transport that speaks for its caller itself."""
        self._main = Caller(main)

    async def principal_of(self, user_id: str) -> Principal:
        """Return a user with the permissions of this moment.

        Raises:
            NotFoundError: There is no such user.
            PermissionDeniedError: The user is disabled.
        """
        record = await self._main.fetch(Call("GET", f"/internal/principals/{segment(user_id)}"), PrincipalRecord)
        if not record.enabled:
            raise PermissionDeniedError(f"The user {record.username} is disabled.")
        return Principal(user_id, record.username, record.role, frozenset(record.permissions))
