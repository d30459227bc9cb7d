"""The one way JSON Web Tokens are signed and read here: HS256, fixed issuer, audience and type."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import jwt
from pydantic import JsonValue, SecretStr

from datamate.core.errors import ConfigurationError, UnauthenticatedError

ISSUER: Final = "datamate"
LEEWAY_SECONDS: Final = 5
MAX_TOKEN_CHARS: Final = 8_192
MIN_SECRET_BYTES: Final = 32
"""The output of SHA-256, below which an HMAC key is the weaker part. Source: RFC 7518 section 3.2."""

_ALGORITHM: Final = "HS256"
_REFUSED_HEADERS: Final = frozenset({"jwk", "jku", "x5u", "x5c", "crit", "b64"})


@dataclass(frozen=True, slots=True)
class TokenFormat:
    """What tells one kind of token from another.

    Attributes:
        type: The `typ` header, so that no token of one kind passes for another. Source: RFC 8725 section 3.11.
        required: Claims without which a token is refused.
    """

    type: str
    required: tuple[str, ...]


def secret_bytes(secret: SecretStr, name: str) -> bytes:
    """Return the key inside a setting.

    Raises:
        ConfigurationError: The key is too short to sign with.
    """
    key = secret.get_secret_value().encode()
    if len(key) < MIN_SECRET_BYTES:
        raise ConfigurationError(
            f"{name} needs {MIN_SECRET_BYTES} bytes or more; generate one with `openssl rand -hex 32`."
        )
    return key


def sign(claims: Mapping[str, JsonValue], key: bytes, token_format: TokenFormat) -> str:
    """Return the claims as a signed token."""
    return jwt.encode(dict(claims), key, algorithm=_ALGORITHM, headers={"typ": token_format.type})


def read(token: str, key: bytes, token_format: TokenFormat, *, audience: str, now: float) -> dict[str, JsonValue]:
    """Return the claims of a token after checking everything that can be checked without a database.

    Args:
        token: As it came.
        key: The one key that may have signed it.
        token_format: What kind of token it must be.
        audience: For whom it must have been made.
        now: Unix seconds.

    Raises:
        UnauthenticatedError: The token is malformed, forged, expired, or made for something else.
    """
    if len(token) > MAX_TOKEN_CHARS:
        raise UnauthenticatedError("The token is not valid; sign in again.")
    try:
        parts = jwt.decode_complete(
            token,
            key,
            algorithms=[_ALGORITHM],
            audience=audience,
            issuer=ISSUER,
            options={
                "require": ["iss", "aud", "sub", "exp", "iat", "jti", *token_format.required],
                "strict_aud": True,
                "verify_exp": False,  # below, by the caller's clock
                "verify_iat": False,
            },
        )
    except (jwt.InvalidTokenError, ValueError):
        raise UnauthenticatedError("The token is not valid; sign in again.") from None
    header: dict[str, JsonValue] = parts["header"]
    if header.get("typ") != token_format.type or _REFUSED_HEADERS & header.keys():
        raise UnauthenticatedError("The token is not valid; sign in again.")
    claims: dict[str, JsonValue] = parts["payload"]
    _check_times(claims["exp"], claims["iat"], now)
    return claims


def _check_times(expires_at: JsonValue, issued_at: JsonValue, now: float) -> None:
    if type(expires_at) is not int or type(issued_at) is not int or issued_at > now + LEEWAY_SECONDS:
        raise UnauthenticatedError("The token is not valid; sign in again.")
    if expires_at + LEEWAY_SECONDS <= now:
        raise UnauthenticatedError("The token has expired; sign in again.", code="token_expired")
