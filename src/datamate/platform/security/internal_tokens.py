"""Internal tokens: how one part of DataMate vouches for a principal to another over HTTP."""

import time
from collections.abc import Callable
from typing import Final

from pydantic import JsonValue, SecretStr

from datamate.core.errors import UnauthenticatedError
from datamate.core.ids import new_id
from datamate.platform.security.principal import Principal
from datamate.platform.security.tokens import ISSUER, TokenFormat, read, secret_bytes, sign

MAX_EXPIRATION_SECONDS: Final = 60

_FORMAT: Final = TokenFormat(type="internal+jwt", required=("act", "username", "role", "permissions"))


class InternalTokens:
    """Mints and verifies internal tokens with `DATAMATE_INTERNAL__SECRET`."""

    def __init__(self, secret: SecretStr, expiration: int, *, clock: Callable[[], float] = time.time) -> None:
        """Make the pair of mint and verifier.

        Args:
            secret: The HS256 key, 32 bytes or more; never the key of access tokens.
            expiration: Life of a minted token in seconds, at most 60.
            clock: Unix seconds; tests pass their own.

        Raises:
            ConfigurationError: The secret is too short.
        """
        self._key = secret_bytes(secret, "DATAMATE_INTERNAL__SECRET")
        self._expiration_seconds = min(expiration, MAX_EXPIRATION_SECONDS)
        self._clock = clock

    def mint(self, principal: Principal, *, service: str, caller: str) -> str:
        """Return a token that says: `caller` asks `service` on behalf of `principal`."""
        now = int(self._clock())
        claims: dict[str, JsonValue] = {
            "iss": ISSUER,
            "aud": service,
            "act": caller,
            "sub": principal.user_id,
            "username": principal.username,
            "role": principal.role,
            "permissions": [*sorted(principal.permissions)],
            "iat": now,
            "exp": now + self._expiration_seconds,
            "jti": new_id(),
        }
        return sign(claims, self._key, _FORMAT)

    def verify(self, token: str, *, service: str) -> Principal:
        """Return the principal that a caller vouches for.

        Raises:
            UnauthenticatedError: The token is malformed, forged, expired, or made for another service.
        """
        claims = read(token, self._key, _FORMAT, audience=service, now=self._clock())
        user_id, caller, username, role = claims["sub"], claims["act"], claims["username"], claims["role"]
        permissions = claims["permissions"]
        if not (
            isinstance(user_id, str)
            and isinstance(caller, str)
            and isinstance(username, str)
            and isinstance(role, str)
            and isinstance(permissions, list)
        ):
            raise UnauthenticatedError("The internal token is not valid.")
        return Principal(
            user_id=user_id,
            username=username,
            role=role,
            permissions=frozenset(str(permission) for permission in permissions),
            actor=caller,
        )
