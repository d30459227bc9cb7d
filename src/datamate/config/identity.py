"""Secrets of tokens, and the first administrator."""

from pydantic import Field, SecretStr

from datamate.config.section import Section
from datamate.contracts.main.users import Username

MIN_SECRET_CHARS = 32


class JwtSettings(Section):
    """`DATAMATE_JWT__*`: access tokens that clients carry."""

    secret: SecretStr | None = Field(
        None, min_length=MIN_SECRET_CHARS, description="HS256 key of access tokens, 32 characters or more."
    )
    expiration: int = Field(900, ge=30, le=86_400, description="Life of an access token in seconds.")


class InternalSettings(Section):
    """`DATAMATE_INTERNAL__*`: tokens between the parts of DataMate, never signed with the public secret."""

    secret: SecretStr | None = Field(
        None, min_length=MIN_SECRET_CHARS, description="HS256 key of internal tokens, 32 characters or more."
    )
    expiration: int = Field(60, ge=5, le=60, description="Life of an internal token in seconds.")


class BootstrapSettings(Section):
    """`DATAMATE_BOOTSTRAP__*`: the administrator made when there are no users."""

    admin_username: Username = Field("admin", description="Name of the first administrator.")
    admin_password: SecretStr | None = Field(
        None, min_length=12, max_length=1024, description="Password of the first administrator. Empty: random."
    )
