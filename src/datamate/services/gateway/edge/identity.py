"""Who asks: the public token verified, then the user as it is at this moment."""

from typing import Protocol

from datamate.contracts.main.users import PrincipalRecord
from datamate.core.errors import UnauthenticatedError
from datamate.platform.security import AccessTokens, Principal


class PrincipalSource(Protocol):
    """Knows every user's role, permissions, admission and epoch, as of now."""

    async def read(self, user_id: int) -> PrincipalRecord | None:
        """Return a user's record, or None if there is no such user.

        Raises:
            UnavailableError: Nobody can tell at the moment.
        """


class Identity:
    """Turns the Authorization header into a principal, or refuses."""

    def __init__(self, tokens: AccessTokens, principals: PrincipalSource) -> None:
        self._tokens = tokens
        self._principals = principals

    async def of(self, authorization: bytes | None) -> Principal:
        """Return who asks.

        Raises:
            UnauthenticatedError: No valid token, or the user may not use it any more.
            UnavailableError: Nobody can tell at the moment.
        """
        if authorization is None:
            raise UnauthenticatedError
        scheme, _, token = authorization.partition(b" ")
        if scheme.lower() != b"bearer":
            raise UnauthenticatedError("Send the access token as `Authorization: Bearer <token>`.")
        claims = self._tokens.verify(token.strip().decode("latin-1"))
        record = await self._principals.read(int(claims.user_id)) if claims.user_id.isdecimal() else None
        if record is None or not record.enabled or record.epoch != claims.epoch:
            raise UnauthenticatedError("The token is no longer valid; sign in again.", code="token_revoked")
        return Principal(
            user_id=str(record.user_id),
            username=record.username,
            role=record.role,
            permissions=frozenset(record.permissions),
            actor="gateway",
        )
