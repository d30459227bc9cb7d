"""Checks a name and its password, and hands out an access token."""

from datamate.contracts.main.auth import AccessToken, LoginRequest
from datamate.platform.db import Database
from datamate.platform.security import AccessTokens, PasswordHasher
from datamate.services.main.auth.errors import WrongCredentialsError
from datamate.services.main.users import repository as users
from datamate.services.main.users.models import UserRow
from datamate.services.main.users.passwords import password_text


async def sign_in(
    request: LoginRequest, *, database: Database, passwords: PasswordHasher, tokens: AccessTokens
) -> AccessToken:
    """Return a token for a user whose password is right.

    No connection is held while the password is checked, which takes 30 ms of one thread.

    Raises:
        WrongCredentialsError: The name is unknown, the password wrong or the user disabled; the answer and the time
            it takes do not tell which.
        RateLimitedError: Too many people sign in at this moment.
    """
    user = await _find(request.username, database)
    password = password_text(request.password)
    matches = await passwords.verify(password, user.password if user else None)
    if user is None or not matches or not user.enabled:
        raise WrongCredentialsError
    new_hash = await passwords.hash(password) if passwords.needs_rehash(user.password) else None
    async with database.transaction() as session:
        if not await users.record_login(session, user, new_hash=new_hash):
            raise WrongCredentialsError  # disabled, or given another password, while we checked this one
    return AccessToken(access_token=tokens.mint(str(user.id), epoch=user.epoch), expires_in=tokens.expiration_seconds)


async def _find(username: str, database: Database) -> UserRow | None:
    # Names are plain ASCII. PostgreSQL would fold others onto them (K, the Kelvin sign, is a k in lower case).
    if not username.isascii() or not username.isprintable():
        username = ""
    async with database.reader() as session:
        return await users.find_by_username(session, username)
