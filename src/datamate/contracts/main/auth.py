"""Signing in."""

from typing import Literal

from pydantic import Field, SecretStr

from datamate.contracts.base import RequestBody, ResponseBody


class LoginRequest(RequestBody):
    """A user name and its password."""

    username: str = Field(min_length=1, max_length=50)
    password: SecretStr = Field(min_length=1, max_length=1024)


class AccessToken(ResponseBody):
    """A token to send as `Authorization: Bearer <access_token>`."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of the scheme
    expires_in: int = Field(description="Seconds until it is refused.")
