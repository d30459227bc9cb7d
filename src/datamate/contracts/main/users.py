"""Users, roles and the identity behind a request."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints

from datamate.contracts.base import RequestBody, ResponseBody

Username = Annotated[str, StringConstraints(min_length=1, max_length=50, pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._-]*$")]
Email = Annotated[str, StringConstraints(max_length=100, pattern=r"^[^@\s\x00]+@[^@\s\x00]+\.[^@\s\x00]+$")]
RoleName = Annotated[str, StringConstraints(min_length=1, max_length=20, pattern=r"^[A-Z][A-Z0-9_]*$")]


class User(ResponseBody):
    """An account. Its password never leaves the database."""

    id: int
    username: str
    email: str | None
    role: str
    enabled: bool
    created_at: datetime


class CreateUserRequest(RequestBody):
    """A new account; passwords have 12 characters or more."""

    username: Username
    password: SecretStr = Field(min_length=12, max_length=1024)
    email: Email | None = None
    role: RoleName


class UpdateUserRequest(RequestBody):
    """Changes to an account; fields left out stay as they are."""

    email: Email | None = None
    role: RoleName | None = None
    enabled: bool | None = None
    password: SecretStr | None = Field(None, min_length=12, max_length=1024)


class Role(ResponseBody):
    """A named set of permissions."""

    name: str
    permissions: list[str]


class PrincipalRecord(ResponseBody):
    """Who a user is at this moment, as the gateway needs it to admit a request."""

    user_id: int
    username: str
    role: str
    permissions: list[str]
    enabled: bool
    epoch: int = Field(description="Tokens that carry another epoch are refused; raised to sign a user out.")
