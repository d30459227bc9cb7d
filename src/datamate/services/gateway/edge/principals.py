"""The records of users, read from the main service through Redis."""

from typing import Final

import structlog
from pydantic import TypeAdapter

from datamate.clients.caller import Call, Caller
from datamate.clients.transport import Transport
from datamate.contracts.main.users import PrincipalRecord
from datamate.core.errors import NotFoundError, PermissionDeniedError, UnauthenticatedError, UnavailableError
from datamate.platform.cache import Cache
from datamate.platform.cache.cache import Slot

NAMESPACE: Final = "principals"
"""The main service makes values void under this name when a user changes, and keeps its own copies there."""

_SECONDS: Final = 60.0
_DEADLINE_SECONDS: Final = 5.0
_RECORD: Final = TypeAdapter(PrincipalRecord)

_log = structlog.get_logger(__name__)


class MainPrincipals:
    """Asks the main service, and Redis before it."""

    def __init__(self, main: Transport, cache: Cache) -> None:
        """Make a source.

        Args:
            main: Calls the main service as the gateway itself.
            cache: One of its own, never that of a main service in the same process: on a miss this cache waits for
                the main service, which must not wait for this cache.
        """
        self._main = Caller(main, deadline_seconds=_DEADLINE_SECONDS)
        self._cache = cache

    async def read(self, user_id: int) -> PrincipalRecord | None:
        """Return a user's record, or None if there is no such user."""
        slot = Slot(NAMESPACE, str(user_id), _SECONDS, _RECORD)
        try:
            return await self._cache.read(slot, lambda: self._load(user_id))
        except NotFoundError:
            return None

    async def _load(self, user_id: int) -> PrincipalRecord:
        try:
            return await self._main.fetch(Call("GET", f"/internal/principals/{user_id}"), PrincipalRecord)
        except (UnauthenticatedError, PermissionDeniedError) as error:
            # It is the gateway that is refused, not the user.
            _log.error("gateway_refused_by_main", reason=error.detail)
            raise UnavailableError(
                "The main service does not accept this gateway; both need the same DATAMATE_INTERNAL__SECRET."
            ) from error
