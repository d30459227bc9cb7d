"""Access tokens: what a signed-in client carries, verified at the gateway."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue, SecretStr

from datamate.core.errors import UnauthenticatedError
from datamate.core.ids import new_id
from datamate.platform.security.tokens import ISSUER, LEEWAY_SECONDS, TokenFormat, read, secret_bytes, sign

AUDIENCE: Final = "datamate-api"
CACHE_SECONDS: Final = 30.0
"""A verified signature is not verified again for this long; epoch and expiry are looked at every time."""

_CACHE_ENTRIES: Final = 10_000
_FORMAT: Final = TokenFormat(type="at+jwt", required=("epoch",))


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What a valid access token says.

    Attributes:
        user_id: Whose it is.
        epoch: Must equal the user's epoch, which grows to sign the user out.
        token_id: Unique to this token.
        expires_at: Unix seconds.
    """

    user_id: str
    epoch: int
    token_id: str
    expires_at: int


class AccessTokens:
    """Mints and verifies access tokens with `DATAMATE_JWT__SECRET`."""

    def __init__(self, secret: SecretStr, expiration: int, *, clock: Callable[[], float] = time.time) -> None:
        """Make the pair of mint and verifier.

        Args:
            secret: The HS256 key, 32 bytes or more.
            expiration: Life of a minted token in seconds.
            clock: Unix seconds; tests pass their own.

        Raises:
            ConfigurationError: The secret is too short.
        """
        self._key = secret_bytes(secret, "DATAMATE_JWT__SECRET")
        self._clock = clock
        self._verified: dict[bytes, tuple[AccessClaims, float]] = {}
        self.expiration_seconds = expiration

    def mint(self, user_id: str, *, epoch: int) -> str:
        """Return a new token for a user whose password was right."""
        now = int(self._clock())
        claims: dict[str, JsonValue] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user_id,
            "iat": now,
            "exp": now + self.expiration_seconds,
            "jti": new_id(),
            "epoch": epoch,
        }
        return sign(claims, self._key, _FORMAT)

    def verify(self, token: str) -> AccessClaims:
        """Return what a token says. The caller still compares its epoch with the user's.

        Raises:
            UnauthenticatedError: The token is malformed, forged, expired, or made for something else.
        """
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        now = self._clock()
        known = self._verified.get(digest)
        if known is not None and now < known[1]:
            return known[0]
        claims = self._read(token, now)
        while len(self._verified) >= _CACHE_ENTRIES:
            self._verified.pop(next(iter(self._verified)))
        self._verified[digest] = (claims, min(now + CACHE_SECONDS, claims.expires_at + LEEWAY_SECONDS))
        return claims

    def _read(self, token: str, now: float) -> AccessClaims:
        claims = read(token, self._key, _FORMAT, audience=AUDIENCE, now=now)
        user_id, epoch, token_id, expires_at = claims["sub"], claims["epoch"], claims["jti"], claims["exp"]
        if not isinstance(user_id, str) or not isinstance(token_id, str):
            raise UnauthenticatedError("The token is not valid; sign in again.")
        if type(epoch) is not int or type(expires_at) is not int:
            raise UnauthenticatedError("The token is not valid; sign in again.")
        return AccessClaims(user_id=user_id, epoch=epoch, token_id=token_id, expires_at=expires_at)
