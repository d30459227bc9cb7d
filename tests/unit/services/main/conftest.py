"""The main service over a real PostgreSQL and Redis, and accounts in it."""

from collections.abc import Awaitable, Callable

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from redis.asyncio import Redis

from datamate.config.root import Settings
from datamate.contracts.main.users import CreateUserRequest, User
from datamate.platform.cache import Cache
from datamate.platform.db import Database
from datamate.platform.security import AccessTokens, InternalTokens, PasswordHasher
from datamate.services.main.app import create_app
from datamate.services.main.deps import MainResources
from datamate.services.main.users import service
from factories.accounts import PASSWORD
from factories.calls import Caller, principal

NewUser = Callable[..., Awaitable[User]]


@pytest.fixture(scope="session")
def passwords():
    hasher = PasswordHasher()
    yield hasher
    hasher.close()


@pytest.fixture
def resources(database: Database, redis: Redis, cache: Cache, passwords: PasswordHasher) -> MainResources:
    return MainResources(
        settings=Settings(),
        database=database,
        redis=redis,
        cache=cache,
        internal_tokens=InternalTokens(SecretStr("i" * 32), 60),
        access_tokens=AccessTokens(SecretStr("a" * 32), 900),
        passwords=passwords,
    )


@pytest.fixture
def app(resources: MainResources) -> FastAPI:
    return create_app(resources)


@pytest.fixture
def admin(app: FastAPI) -> Caller:
    """Calls as an administrator; there need not be an account behind it."""
    return Caller(app, principal("ADMIN", 2**40))


@pytest.fixture
def new_user(resources: MainResources) -> NewUser:
    """Makes accounts."""

    async def make(username: str = "ada", role: str = "EDITOR") -> User:
        request = CreateUserRequest(username=username, password=SecretStr(PASSWORD), role=role)
        async with resources.database.transaction() as session:
            return await service.create_user(session, request, passwords=resources.passwords, cache=resources.cache)

    return make
