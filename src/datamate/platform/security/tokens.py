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


def read(token: str, key: bytes, token_format: TokenFormat, *, audience: str) -> dict[str, JsonValue]:
    """Return the claims of a token after checking everything that can be checked without a database.

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
            leeway=LEEWAY_SECONDS,
            options={"require": ["iss", "aud", "sub", "exp", "iat", "jti", *token_format.required], "strict_aud": True},
        )
    except jwt.ExpiredSignatureError:
        raise UnauthenticatedError("The token has expired; sign in again.", code="token_expired") from None
    except (jwt.InvalidTokenError, ValueError):
        raise UnauthenticatedError("The token is not valid; sign in again.") from None
    header: dict[str, JsonValue] = parts["header"]
    if header.get("typ") != token_format.type or _REFUSED_HEADERS & header.keys():
        raise UnauthenticatedError("The token is not valid; sign in again.")
    claims: dict[str, JsonValue] = parts["payload"]
    return claims
