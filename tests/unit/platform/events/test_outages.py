"""Redis that is away, restarted or wiped: nothing is lost, nothing happens twice, and everybody reconnects."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import func, select

from datamate.platform.db import Database, Session
from datamate.platform.db.outbox import OutboxRow
from datamate.platform.events import (
    BroadcastListener,
    Consumer,
    ConsumerTuning,
    Reconciler,
    Relay,
    broadcast,
    subscribe,
)
from datamate.platform.events import broadcasting as broadcast_module
from datamate.platform.events import reconciler as reconciler_module
from factories.engines import RedisEngine
from factories.events import OrderPlaced, eventually, order, publish, running

QUICK = ConsumerTuning(block_seconds=0.05, dead_seconds=0.4, backoff_base_seconds=0.02, backoff_cap_seconds=0.05)


@pytest.fixture(autouse=True)
def _frequent_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciler_module, "CHECK_SECONDS", 0.1)


@pytest.fixture
async def running_redis(redis_engine: RedisEngine, redis: Redis) -> AsyncIterator[RedisEngine]:
    """The Redis of this test, for stopping and starting; it runs again at the end."""
    yield redis_engine
    redis_engine.stop()
    redis_engine.start()
    await reconnected(redis)


async def reconnected(redis: Redis) -> None:
    async def answers() -> bool:
        try:
            return bool(await redis.ping())
        except (RedisError, OSError):
            return False

    await eventually(answers)


class Shop:
    """A subscriber that remembers what it handled."""

    def __init__(self) -> None:
        self.handled: list[str] = []
        self.subscriber = subscribe(OrderPlaced)(self.on_order_placed)

    async def on_order_placed(self, event: OrderPlaced, session: Session) -> None:
        await session.execute(select(1))
        self.handled.append(event.aggregate_id)


def loops(database: Database, redis: Redis, shop: Shop) -> tuple[Relay, Consumer, Reconciler]:
    service = Consumer(database, redis, "shop", [shop.subscriber], tuning=QUICK)
    return Relay(database, redis), service, Reconciler(database, redis)


async def test_events_arrive_once_when_redis_was_away_for_a_while(
    database: Database, redis: Redis, running_redis: RedisEngine
) -> None:
    shop = Shop()
    async with running(*loops(database, redis, shop)):
        await publish(database, order(1))
        await eventually(lambda: shop.handled == ["order-1"])
        running_redis.kill()
        for number in range(2, 12):
            await publish(database, order(number))
        await asyncio.sleep(0.3)
        assert shop.handled == ["order-1"]
        running_redis.start()
        await eventually(lambda: len(shop.handled) == 11, within_seconds=20)
    assert sorted(set(shop.handled)) == sorted(shop.handled)


async def test_events_arrive_when_redis_was_not_there_at_the_start(
    database: Database, redis: Redis, running_redis: RedisEngine
) -> None:
    shop = Shop()
    running_redis.stop()
    async with running(*loops(database, redis, shop)):
        await publish(database, order())
        await asyncio.sleep(0.2)
        running_redis.start()
        await eventually(lambda: shop.handled == ["order-1"], within_seconds=20)


async def test_undelivered_events_are_sent_again_when_redis_is_wiped(database: Database, redis: Redis) -> None:
    shop = Shop()
    service = Consumer(database, redis, "shop", [shop.subscriber], tuning=QUICK)
    async with running(Relay(database, redis), service):
        await publish(database, order(1))
        await eventually(lambda: shop.handled == ["order-1"])
    await publish(database, order(2), order(3))
    await Relay(database, redis).relay_batch()
    await redis.flushall()

    async with running(*loops(database, redis, shop)):
        await eventually(lambda: len(shop.handled) >= 3, within_seconds=20)
        await asyncio.sleep(0.3)
    assert sorted(shop.handled) == ["order-1", "order-2", "order-3"]


async def test_consumers_go_on_when_redis_is_wiped_under_them(database: Database, redis: Redis) -> None:
    shop = Shop()
    async with running(*loops(database, redis, shop)):
        for number in range(1, 6):
            await publish(database, order(number))
            await eventually(lambda number=number: f"order-{number}" in shop.handled, within_seconds=20)
            await redis.flushall()
    assert sorted(shop.handled) == [f"order-{number}" for number in range(1, 6)]


async def test_only_what_a_subscriber_still_needs_is_sent_again_when_redis_is_wiped(
    database: Database, redis: Redis
) -> None:
    shop = Shop()
    reconciler = Reconciler(database, redis)
    async with running(*loops(database, redis, shop)):
        await publish(database, order(1))
        await eventually(lambda: shop.handled == ["order-1"])
        await eventually(lambda: redis.exists(reconciler_module.SERVER_KEY))
    await publish(database, order(2))
    await Relay(database, redis).relay_batch()
    assert await reconciler.reconcile() == 0

    await redis.flushall()
    assert await reconciler.reconcile() == 1
    assert await reconciler.reconcile() == 0


async def test_old_events_are_deleted_when_cleaning(database: Database, redis: Redis) -> None:
    await publish(database, order(1), order(2))
    await Relay(database, redis).relay_batch()
    await publish(database, order(3))
    async with database.transaction() as session:
        ids = list(await session.scalars(select(OutboxRow.id).order_by(OutboxRow.id)))
        for number, event_id in enumerate(ids):  # as if they were made at the beginning of 1970
            row = await session.get(OutboxRow, event_id)
            assert row is not None
            row.id = f"00000000-0000-7000-8000-00000000000{number}"

    await Reconciler(database, redis).clean()
    async with database.reader() as session:
        assert await session.scalar(select(func.count()).select_from(OutboxRow)) == 1  # the one not sent yet


class Replica:
    """A replica that remembers what it heard."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def on_order_placed(self, event: OrderPlaced) -> None:
        self.heard.append(event.aggregate_id)

    def listener(self, database: Database, redis: Redis) -> BroadcastListener:
        return BroadcastListener(database, redis, [broadcast(OrderPlaced)(self.on_order_placed)])


async def test_every_replica_hears_an_event_through_redis_when_it_is_broadcast(
    database: Database, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast_module, "POLL_SECONDS", 60.0)
    replicas = [Replica(), Replica()]
    async with running(Relay(database, redis), *(replica.listener(database, redis) for replica in replicas)):
        await asyncio.sleep(0.3)
        await publish(database, order(1))
        await eventually(lambda: all(replica.heard for replica in replicas))


async def test_every_replica_hears_an_event_once_when_two_ways_bring_it(database: Database, redis: Redis) -> None:
    await publish(database, order(0))
    await Relay(database, redis).relay_batch()
    replicas = [Replica(), Replica()]
    async with running(Relay(database, redis), *(replica.listener(database, redis) for replica in replicas)):
        await asyncio.sleep(0.3)
        await publish(database, order(1))
        await eventually(lambda: all(replica.heard for replica in replicas))
        await asyncio.sleep(1.2)  # the poll finds it too
    assert [replica.heard for replica in replicas] == [["order-1"], ["order-1"]]


async def test_replica_hears_events_within_moments_when_redis_is_away(
    database: Database, redis: Redis, running_redis: RedisEngine
) -> None:
    replica = Replica()
    running_redis.stop()
    async with running(replica.listener(database, redis)):
        await asyncio.sleep(0.3)
        await publish(database, order(1))
        await eventually(lambda: replica.heard == ["order-1"])


async def test_other_subscribers_hear_when_one_fails(database: Database, redis: Redis) -> None:
    replica = Replica()

    async def fail(_event: OrderPlaced) -> None:
        raise ValueError

    both = [broadcast(OrderPlaced)(fail), broadcast(OrderPlaced)(replica.on_order_placed)]
    async with running(Relay(database, redis), BroadcastListener(database, redis, both)):
        await asyncio.sleep(0.3)
        await publish(database, order(1))
        await eventually(lambda: replica.heard == ["order-1"])
