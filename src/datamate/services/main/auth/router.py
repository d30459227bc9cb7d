"""HTTP routes of signing in."""

from fastapi import APIRouter

from datamate.contracts.main.auth import AccessToken, LoginRequest
from datamate.platform.security import public
from datamate.services.main.auth import service
from datamate.services.main.deps import Resources

router = APIRouter(prefix="/auth", tags=["auth"])


@router.post("/login", dependencies=[public])
async def login(resources: Resources, body: LoginRequest) -> AccessToken:
    """Exchange a user name and its password for an access token."""
    return await service.sign_in(
        body, database=resources.database, passwords=resources.passwords, tokens=resources.access_tokens
    )
