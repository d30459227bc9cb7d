"""Trimming: a stream keeps what a group still needs and what broadcast readers may have missed, and nothing else."""

import pytest
from redis.asyncio import Redis

from datamate.platform.events import trimming
from datamate.platform.events.trimming import TOPICS_KEY, trim

TOPIC = "order.placed"


@pytest.fixture
def _no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trimming, "KEEP_SECONDS", -60.0)


@pytest.fixture(autouse=True)
async def _streams_are_known(redis: Redis) -> None:
    await redis.sadd(TOPICS_KEY, TOPIC, "cache.bumped", "no.such_stream")


async def add(redis: Redis, number: int) -> list[bytes]:
    return [await redis.xadd(TOPIC, {"n": n, "padding": "x" * 100}) for n in range(number)]


async def test_everything_stays_when_it_is_recent(redis: Redis) -> None:
    await add(redis, 1_000)
    await trim(redis)
    assert await redis.xlen(TOPIC) == 1_000


@pytest.mark.usefixtures("_no_grace")
async def test_handled_messages_go_when_every_group_is_done_with_them(redis: Redis) -> None:
    await add(redis, 1_000)
    await redis.xgroup_create(TOPIC, "quick", id="$")
    await trim(redis)
    assert await redis.xlen(TOPIC) < 200  # whole blocks only: cutting one up costs more than it frees


@pytest.mark.usefixtures("_no_grace")
async def test_messages_stay_when_the_slowest_group_has_not_handled_them(redis: Redis) -> None:
    ids = await add(redis, 1_000)
    await redis.xgroup_create(TOPIC, "quick", id="$")
    await redis.xgroup_create(TOPIC, "slow", id=ids[99])
    await redis.xgroup_create(TOPIC, "pending", id="0")
    await redis.xreadgroup("pending", "c", {TOPIC: ">"}, count=1_000)
    await redis.xack(TOPIC, "pending", *ids[:50])
    await trim(redis)
    assert (await redis.xrange(TOPIC, min=ids[50], count=1))[0][0] == ids[50]


async def test_messages_go_when_a_dead_group_is_a_week_behind(redis: Redis) -> None:
    for number in range(100):  # a whole block
        await redis.xadd(TOPIC, {"n": number}, id=f"1000-{number}")
    await redis.xgroup_create(TOPIC, "dead", id="0")
    await add(redis, 300)
    await trim(redis)
    assert await redis.xlen(TOPIC) == 300
