"""Cached reads: loaded once, void after a change whatever happens around it, and as good as no cache without Redis."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from pydantic import BaseModel, SecretStr
from redis.asyncio import Redis

from datamate.config.redis import RedisSettings
from datamate.core.errors import ConfigurationError
from datamate.platform.cache import Cache, cached
from datamate.platform.cache.breaker import Breaker
from datamate.platform.db import Database
from datamate.platform.events import Relay
from datamate.platform.redis import connect_redis
from factories.engines import RedisEngine
from factories.events import eventually, running


class Item(BaseModel):
    """Something worth caching."""

    name: str
    tags: list[str] = []


class Shelf:
    """A source of items that counts how often it is read, and can be made slow or broken."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self.items = {"a": Item(name="first")}
        self.reads = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.started = asyncio.Event()

    @cached("items", key="{item_id}", ttl_seconds=60)
    async def get(self, item_id: str) -> Item | None:
        self.reads += 1
        value = self.items.get(item_id)
        self.started.set()
        await self.gate.wait()
        if item_id == "broken":
            raise ValueError(item_id)
        return value

    async def change(self, database: Database, item_id: str, name: str) -> None:
        async with database.transaction() as session:
            await self.cache.bump(session, "items", item_id)
            self.items[item_id] = Item(name=name)


@pytest.fixture
def shelf(cache: Cache) -> Shelf:
    return Shelf(cache)


async def test_value_is_loaded_once_when_it_is_read_again(shelf: Shelf) -> None:
    assert await shelf.get("a") == await shelf.get(item_id="a") == Item(name="first")
    assert shelf.reads == 1


async def test_absence_is_remembered_when_there_is_nothing(shelf: Shelf) -> None:
    assert await shelf.get("none") is await shelf.get("none") is None
    assert shelf.reads == 1


async def test_readers_share_one_load_when_they_miss_together(shelf: Shelf) -> None:
    shelf.gate.clear()
    readers = [asyncio.create_task(shelf.get("a")) for _ in range(20)]
    await shelf.started.wait()
    await asyncio.sleep(0.1)
    shelf.gate.set()
    values = await asyncio.gather(*readers)
    assert values == [Item(name="first")] * 20
    assert len({id(value) for value in values}) == 20  # nobody can change another one's value
    assert shelf.reads == 1


async def test_another_reader_loads_when_the_loading_one_is_cancelled(shelf: Shelf) -> None:
    shelf.gate.clear()
    leaving = asyncio.create_task(shelf.get("a"))
    await shelf.started.wait()
    staying = asyncio.create_task(shelf.get("a"))
    await asyncio.sleep(0.05)
    leaving.cancel()
    with suppress(asyncio.CancelledError):
        await leaving
    shelf.gate.set()
    assert await staying == Item(name="first")
    assert shelf.reads == 2


async def test_error_reaches_every_reader_and_is_not_kept_when_the_load_fails(shelf: Shelf) -> None:
    shelf.gate.clear()
    readers = [asyncio.create_task(shelf.get("broken")) for _ in range(3)]
    await asyncio.sleep(0.1)
    shelf.gate.set()
    results = await asyncio.gather(*readers, return_exceptions=True)
    assert all(isinstance(result, ValueError) for result in results)
    assert shelf.reads == 1
    with pytest.raises(ValueError, match="broken"):
        await shelf.get("broken")
    assert shelf.reads == 2


async def test_new_value_is_read_when_the_source_changed(shelf: Shelf, database: Database) -> None:
    await shelf.get("a")
    await shelf.change(database, "a", "second")
    assert await shelf.get("a") == Item(name="second")


async def test_slow_reader_leaves_no_old_value_when_the_source_changes_under_it(
    shelf: Shelf, database: Database
) -> None:
    shelf.gate.clear()
    slow = asyncio.create_task(shelf.get("a"))
    await shelf.started.wait()
    await shelf.change(database, "a", "second")
    shelf.gate.set()
    assert await slow == Item(name="first")  # it started before
    assert await shelf.get("a") == Item(name="second")


async def test_reader_gets_the_new_value_when_an_older_load_is_under_way(shelf: Shelf, database: Database) -> None:
    shelf.gate.clear()
    slow = asyncio.create_task(shelf.get("a"))
    await shelf.started.wait()
    await shelf.change(database, "a", "second")
    later = asyncio.create_task(shelf.get("a"))
    await asyncio.sleep(0.05)
    shelf.gate.set()
    assert (await slow, await later) == (Item(name="first"), Item(name="second"))


async def test_slow_reader_leaves_no_old_value_when_redis_is_wiped_under_it(
    shelf: Shelf, database: Database, redis: Redis
) -> None:
    shelf.gate.clear()
    slow = asyncio.create_task(shelf.get("a"))
    await shelf.started.wait()
    await shelf.change(database, "a", "second")
    await redis.flushall()
    shelf.gate.set()
    await slow
    assert await shelf.get("a") == Item(name="second")


async def test_reader_between_change_and_commit_leaves_no_old_value_when_the_writer_commits(
    shelf: Shelf, database: Database
) -> None:
    async with database.transaction() as session:
        await shelf.cache.bump(session, "items", "a")
        assert await shelf.get("a") == Item(name="first")  # fills the cache with what is still committed
        shelf.items["a"] = Item(name="second")
    assert await shelf.get("a") == Item(name="second")


async def test_value_becomes_void_through_the_outbox_when_the_writer_dies_after_its_commit(
    shelf: Shelf, database: Database, redis: Redis
) -> None:
    async with database.transaction() as session:
        await shelf.cache.bump(session, "items", "a")
        session._after_commit.clear()  # as if the process died there
        await shelf.get("a")
        shelf.items["a"] = Item(name="second")
    assert await shelf.get("a") == Item(name="first")

    assert await Relay(database, redis).relay_batch() == 1
    assert await shelf.get("a") == Item(name="second")


async def test_nothing_is_published_when_the_writer_rolls_back(shelf: Shelf, database: Database, redis: Redis) -> None:
    with suppress(RuntimeError):
        async with database.transaction() as session:
            await shelf.cache.bump(session, "items", "a")
            raise RuntimeError
    assert await Relay(database, redis).relay_batch() == 0


async def test_value_is_loaded_again_when_another_release_wrote_it(shelf: Shelf, redis: Redis) -> None:
    await shelf.get("a")
    (key,) = [key async for key in redis.scan_iter("cache:*:value")]
    await redis.set(key, '{"title": "of another shape"}')
    assert await shelf.get("a") == Item(name="first")
    assert await shelf.get("a") == Item(name="first")
    assert shelf.reads == 3


async def test_value_expires_when_its_time_is_over(shelf: Shelf, redis: Redis) -> None:
    await shelf.get("a")
    (key,) = [key async for key in redis.scan_iter("cache:*:value")]
    assert 0 < await redis.pttl(key) <= 60_000


@pytest.fixture
async def dead_cache() -> AsyncIterator[Cache]:
    client = connect_redis(RedisSettings(url=SecretStr("redis://127.0.0.1:1/0")), for_requests=True)
    yield Cache(client)
    await client.aclose()


async def test_reads_and_writes_work_when_there_is_no_redis(dead_cache: Cache, database: Database) -> None:
    shelf = Shelf(dead_cache)
    assert await shelf.get("a") == Item(name="first")
    await shelf.change(database, "a", "second")
    assert await shelf.get("a") == Item(name="second")


async def test_dead_redis_costs_nothing_when_it_was_found_dead(dead_cache: Cache) -> None:
    shelf = Shelf(dead_cache)
    await shelf.get("a")
    started = time.perf_counter()
    for _ in range(1_000):
        await shelf.get("a")
    assert time.perf_counter() - started < 1.0
    assert shelf.reads == 1_001


async def test_frozen_redis_delays_one_reader_by_its_timeout_when_it_does_not_answer() -> None:
    silent = socket.create_server(("127.0.0.1", 0))  # connects, and never says a word
    port = silent.getsockname()[1]
    client = connect_redis(RedisSettings(url=SecretStr(f"redis://127.0.0.1:{port}/0")), for_requests=True)
    shelf = Shelf(Cache(client))
    started = time.perf_counter()
    for _ in range(20):
        await shelf.get("a")
    assert time.perf_counter() - started < 1.5  # of the 2 that twenty timeouts take
    await client.aclose()
    silent.close()


async def test_caching_goes_on_by_itself_when_redis_comes_back(
    shelf: Shelf, database: Database, redis: Redis, redis_engine: RedisEngine
) -> None:
    await shelf.get("a")
    redis_engine.kill()
    try:
        await shelf.change(database, "a", "second")  # cannot reach Redis, which kept the old value on disk
        assert await shelf.get("a") == Item(name="second")
    finally:
        redis_engine.start()
    async with running(Relay(database, redis)):
        await eventually(lambda: _is_read_from_cache(shelf))
    assert await shelf.get("a") == Item(name="second")


async def _is_read_from_cache(shelf: Shelf) -> bool:
    before = shelf.reads
    value = await shelf.get("a")
    return shelf.reads == before and value == Item(name="second")


def test_breaker_lets_one_call_through_per_interval_when_it_is_open() -> None:
    breaker = Breaker(interval_seconds=0.05)
    assert breaker.allows()
    breaker.failed()
    assert not breaker.allows()
    time.sleep(0.06)
    assert (breaker.allows(), breaker.allows()) == (True, False)
    breaker.succeeded()
    assert (breaker.allows(), breaker.allows()) == (True, True)


async def test_function_is_cached_when_the_cache_is_a_parameter(cache: Cache) -> None:
    calls: list[int] = []

    @cached("squares", key="{number}:{power}", ttl_seconds=60)
    async def raised(cache: Cache, number: int, *, power: int = 2) -> int:
        calls.append(number)
        return number**power

    assert [await raised(cache, 3), await raised(cache, 3, power=2), await raised(cache, 3, power=3)] == [9, 9, 27]
    assert calls == [3, 3]


def test_decoration_is_refused_when_the_key_names_no_parameter() -> None:
    async def get(cache: Cache, item_id: str) -> str:
        return item_id

    with pytest.raises(ConfigurationError, match="names item, which is no parameter"):
        cached("items", key="{item}", ttl_seconds=1)(get)


def test_decoration_is_refused_when_there_is_no_cache_to_use() -> None:
    async def get(item_id: str) -> str:
        return item_id

    with pytest.raises(ConfigurationError, match="needs a parameter `cache`"):
        cached("items", key="{item_id}", ttl_seconds=1)(get)
