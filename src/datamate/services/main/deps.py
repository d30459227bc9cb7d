"""What the routes of the main service are given: its resources."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from datamate.platform.http.service import ServiceResources
from datamate.platform.security import AccessTokens, PasswordHasher


@dataclass(frozen=True, kw_only=True)
class MainResources(ServiceResources):
    """What the main service needs of its process.

    Attributes:
        access_tokens: Mints the tokens of those who sign in.
        passwords: Hashes and checks passwords.
    """

    access_tokens: AccessTokens
    passwords: PasswordHasher


async def _resources(request: Request) -> MainResources:
    resources: MainResources = request.app.state.resources
    return resources


Resources = Annotated[MainResources, Depends(_resources)]
"""The resources of the service, as a parameter of a route."""
