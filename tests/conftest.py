"""Fixtures of every test: a real PostgreSQL and a real Redis, one pair per test process, clean for each test.

A test that asks for none of them starts neither.
"""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from datamate.config.database import DatabaseSettings
from datamate.config.redis import RedisSettings
from datamate.platform.cache import Cache
from datamate.platform.db import Database
from datamate.platform.redis import connect_redis
from factories.databases import Reset, create_database, drop_database, migrate
from factories.engines import PostgresEngine, RedisEngine

TEMPLATE = "datamate_template"
SHARED = "datamate_test"


@pytest.fixture(scope="session")
def postgres_engine() -> Iterator[PostgresEngine]:
    """A running PostgreSQL. A test may stop or kill it, and starts it again before it ends."""
    engine = PostgresEngine()
    try:
        engine.initialise()
        engine.start()
        yield engine
    finally:
        engine.remove()


@pytest.fixture(scope="session")
def redis_engine() -> Iterator[RedisEngine]:
    """A running Redis. A test may stop or kill it, and starts it again before it ends."""
    engine = RedisEngine()
    try:
        engine.start()
        yield engine
    finally:
        engine.remove()


@pytest.fixture(scope="session")
async def migrated_template(postgres_engine: PostgresEngine) -> str:
    """The name of a database with every schema migrated, to make others from."""
    admin_url = postgres_engine.url("postgres")
    await create_database(admin_url, TEMPLATE)
    await migrate(postgres_engine.url(TEMPLATE))
    return TEMPLATE


@pytest.fixture(scope="session")
async def shared_database(postgres_engine: PostgresEngine, migrated_template: str) -> Reset:
    await create_database(postgres_engine.url("postgres"), SHARED, template=migrated_template)
    reset = Reset(postgres_engine.url(SHARED))
    await reset.prepare()
    return reset


@pytest.fixture
async def database_url(postgres_engine: PostgresEngine, shared_database: Reset) -> AsyncIterator[str]:
    """The address of a migrated database that holds nothing but what the migrations put there."""
    yield postgres_engine.url(SHARED)
    await shared_database.run()


@pytest.fixture
async def own_database_url(postgres_engine: PostgresEngine, migrated_template: str) -> AsyncIterator[str]:
    """The address of a migrated database of this test alone, for tests that change tables or leave connections."""
    name = f"test_{uuid4().hex}"
    await create_database(postgres_engine.url("postgres"), name, template=migrated_template)
    yield postgres_engine.url(name)
    await drop_database(postgres_engine.url("postgres"), name)


@pytest.fixture
async def empty_database_url(postgres_engine: PostgresEngine) -> AsyncIterator[str]:
    """The address of a database without any table of ours, for tests of migrations."""
    name = f"test_{uuid4().hex}"
    await create_database(postgres_engine.url("postgres"), name)
    yield postgres_engine.url(name)
    await drop_database(postgres_engine.url("postgres"), name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(DatabaseSettings(), database_url)
    yield database
    await database.close()


@pytest.fixture
def redis_settings(redis_engine: RedisEngine) -> RedisSettings:
    # On a busy machine the 100 ms of production would make tests take the road without Redis now and then.
    return RedisSettings(url=SecretStr(redis_engine.url), request_timeout_seconds=5)


@pytest.fixture
async def redis(redis_settings: RedisSettings) -> AsyncIterator[Redis]:
    """Redis with the patience of background loops, empty at the start and at the end."""
    client = connect_redis(redis_settings, for_requests=False)
    await client.flushall()
    yield client
    await client.flushall()
    await client.aclose()


@pytest.fixture
async def cache(redis: Redis, redis_settings: RedisSettings) -> AsyncIterator[Cache]:
    """A cache over that Redis."""
    client = connect_redis(redis_settings, for_requests=True)
    yield Cache(client)
    await client.aclose()
