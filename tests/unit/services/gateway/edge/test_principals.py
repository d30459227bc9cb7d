"""Users through a real Redis, in front of a main service that counts how often it is asked."""

import pytest
from fastapi import APIRouter
from pydantic import SecretStr
from redis.asyncio import Redis

from datamate.config.database import DatabaseSettings
from datamate.config.root import Settings
from datamate.contracts.main.users import PrincipalRecord
from datamate.core.errors import NotFoundError, UnavailableError
from datamate.platform.cache import Cache
from datamate.platform.db import Database
from datamate.platform.http.in_process import InProcessTransport
from datamate.platform.http.service import ServiceResources, create_service_app
from datamate.platform.security import InternalTokens, internal_only
from datamate.services.gateway.edge.principals import MainPrincipals

TOKENS = InternalTokens(SecretStr("internal-secret-of-the-tests-0001"), 60)


@pytest.fixture
def asked() -> list[int]:
    return []


@pytest.fixture
def main(redis: Redis, asked: list[int]):
    router = APIRouter()

    @router.get("/internal/principals/{user_id}", dependencies=[internal_only("gateway")])
    async def principal(user_id: int) -> PrincipalRecord:
        asked.append(user_id)
        if user_id != 1:
            raise NotFoundError
        return PrincipalRecord(
            user_id=1, username="a", role="ADMIN", permissions=["x:y"], enabled=True, epoch=len(asked)
        )

    database = Database(DatabaseSettings(), "postgresql://nobody@127.0.0.1:9/nothing")
    resources = ServiceResources(
        settings=Settings(), database=database, redis=redis, cache=Cache(redis), internal_tokens=TOKENS
    )
    return create_service_app("main", resources, [router], title="main")


async def test_main_is_asked_once_when_a_user_comes_often(main, redis, asked):
    principals = MainPrincipals(InProcessTransport(main, "gateway"), Cache(redis))
    records = [await principals.read(1) for _ in range(3)]
    assert [record.username for record in records if record] == ["a", "a", "a"]
    assert asked == [1]


async def test_main_is_asked_again_when_the_value_was_made_void(main, redis, asked, database):
    principals = MainPrincipals(InProcessTransport(main, "gateway"), Cache(redis))
    await principals.read(1)
    async with database.transaction() as session:
        await Cache(redis).bump(session, "principals", "1")
    record = await principals.read(1)
    assert record is not None
    assert record.epoch == 2


async def test_nobody_is_found_when_the_user_is_unknown(main, redis):
    assert await MainPrincipals(InProcessTransport(main, "gateway"), Cache(redis)).read(7) is None


async def test_nobody_can_tell_when_main_refuses_the_gateway(main, redis):
    principals = MainPrincipals(InProcessTransport(main, "stranger"), Cache(redis))
    with pytest.raises(UnavailableError, match="DATAMATE_INTERNAL__SECRET"):
        await principals.read(1)


async def test_main_is_asked_each_time_when_redis_is_away(main, asked):
    away = Redis.from_url("redis://127.0.0.1:9", socket_connect_timeout=0.1)
    principals = MainPrincipals(InProcessTransport(main, "gateway"), Cache(away))
    await principals.read(1)
    await principals.read(1)
    assert asked == [1, 1]
