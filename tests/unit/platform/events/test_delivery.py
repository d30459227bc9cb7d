"""From the commit to the subscriber: each event is handled once per service, whatever fails on the way."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest
from redis.asyncio import Redis
from sqlalchemy import func, select, text

from datamate.core.errors import UnavailableError
from datamate.platform.db import Database, Session
from datamate.platform.db.outbox import OutboxRow
from datamate.platform.events import Consumer, ConsumerTuning, Relay, Subscriber, redrive, subscribe
from datamate.platform.events import relay as relay_module
from datamate.platform.events.models import DeadLetterRow, InboxRow
from datamate.platform.events.relay import PENDING_COLUMNS
from factories.events import OrderPlaced, eventually, order, publish, running

QUICK = ConsumerTuning(
    block_seconds=0.05, dead_seconds=0.4, max_attempts=3, backoff_base_seconds=0.02, backoff_cap_seconds=0.05
)


class Shop:
    """Subscribers that count what they handled, as a service's tables would."""

    def __init__(self, *, fail: Callable[[OrderPlaced], Exception | None] = lambda _: None) -> None:
        self.handled: list[str] = []
        self._fail = fail
        self.subscriber = subscribe(OrderPlaced)(self.on_order_placed)

    async def on_order_placed(self, event: OrderPlaced, session: Session) -> None:
        error = self._fail(event)
        if error is not None:
            raise error
        await session.execute(select(1))
        self.handled.append(event.aggregate_id)


def consumer(database: Database, redis: Redis, *subscribers: Subscriber, service: str = "shop") -> Consumer:
    return Consumer(database, redis, service, subscribers, tuning=QUICK)


async def count(database: Database, table: type) -> int:
    async with database.reader() as session:
        return (await session.execute(select(func.count()).select_from(table))).scalar_one()


async def test_subscriber_acts_without_waiting_for_a_poll_when_a_transaction_commits(
    database: Database, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "POLL_SECONDS", 60.0)
    shop = Shop()
    async with running(Relay(database, redis), consumer(database, redis, shop.subscriber)):
        for number in (1, 2):
            await publish(database, order(number))
            await eventually(lambda number=number: len(shop.handled) == number)


async def test_nothing_is_sent_when_the_transaction_rolls_back(database: Database, redis: Redis) -> None:
    with suppress(RuntimeError):
        async with database.transaction() as session:
            session.publish(order())
            await session.flush()
            raise RuntimeError
    assert await Relay(database, redis).relay_batch() == 0


async def test_event_is_not_sent_when_its_savepoint_rolls_back(database: Database, redis: Redis) -> None:
    async with database.transaction() as session:
        with suppress(RuntimeError):
            async with session.begin_nested():
                session.publish(order(1))
                raise RuntimeError
        session.publish(order(2))
    assert await Relay(database, redis).relay_batch() == 1


async def test_each_event_is_handled_once_when_many_replicas_run(database: Database, redis: Redis) -> None:
    shop = Shop()
    replicas = [consumer(database, redis, shop.subscriber) for _ in range(3)]
    relays = [Relay(database, redis) for _ in range(3)]
    async with running(*relays, *replicas):
        await asyncio.gather(*(publish(database, order(n)) for n in range(100)))
        await eventually(lambda: len(shop.handled) >= 100)
        await eventually(lambda: _nothing_pending(redis))
    assert sorted(shop.handled) == sorted(f"order-{n}" for n in range(100))


async def _nothing_pending(redis: Redis) -> bool:
    return (await redis.xpending("order.placed", "shop"))["pending"] == 0


async def test_every_service_gets_the_event_when_two_subscribe(database: Database, redis: Redis) -> None:
    first, second = Shop(), Shop()
    async with running(
        Relay(database, redis),
        consumer(database, redis, first.subscriber, service="first"),
        consumer(database, redis, second.subscriber, service="second"),
    ):
        await publish(database, order())
        await eventually(lambda: first.handled == second.handled == ["order-1"])


async def test_effect_happens_once_when_the_relay_dies_between_redis_and_its_commit(
    database: Database, redis: Redis
) -> None:
    shop = Shop()
    await publish(database, order())
    with suppress(RuntimeError):
        async with database.transaction() as session:
            relay = Relay(database, redis)
            rows = (await session.execute(select(*PENDING_COLUMNS))).all()
            await relay._send(rows)
            raise RuntimeError
    await Relay(database, redis).relay_batch()
    assert await redis.xlen("order.placed") == 2

    async with running(consumer(database, redis, shop.subscriber)):
        await eventually(lambda: _all_read(redis))
    assert shop.handled == ["order-1"]


async def _all_read(redis: Redis) -> bool:
    newest = (await redis.xrevrange("order.placed", count=1))[0][0]
    groups = await redis.xinfo_groups("order.placed")
    return any(group["pending"] == 0 and group["last-delivered-id"] == newest for group in groups)


async def test_message_is_taken_over_when_its_consumer_died_before_acknowledging(
    database: Database, redis: Redis
) -> None:
    shop = Shop()
    await publish(database, order())
    await Relay(database, redis).relay_batch()
    await redis.xgroup_create("order.placed", "shop", id="0")
    assert await redis.xreadgroup("shop", "dead", {"order.placed": ">"})  # and never heard of again

    async with running(consumer(database, redis, shop.subscriber)):
        await eventually(lambda: shop.handled == ["order-1"])
        await eventually(lambda: _nothing_pending(redis))


async def test_effect_is_not_repeated_when_only_the_acknowledgement_was_lost(database: Database, redis: Redis) -> None:
    shop = Shop()
    dying = consumer(database, redis, shop.subscriber)
    dying._group.acknowledge = _lose  # type: ignore[method-assign]
    await publish(database, order())
    await Relay(database, redis).relay_batch()
    async with running(dying):
        await eventually(lambda: shop.handled == ["order-1"])
    assert (await redis.xpending("order.placed", "shop"))["pending"] == 1

    async with running(consumer(database, redis, shop.subscriber)):
        await eventually(lambda: _nothing_pending(redis))
    assert shop.handled == ["order-1"]


async def _lose(_message: object) -> None:
    return None


async def test_handler_is_tried_again_when_it_fails_at_first(database: Database, redis: Redis) -> None:
    failures = [RuntimeError("first"), RuntimeError("second")]
    shop = Shop(fail=lambda _: failures.pop(0) if failures else None)
    async with running(Relay(database, redis), consumer(database, redis, shop.subscriber)):
        await publish(database, order())
        await eventually(lambda: shop.handled == ["order-1"])
        await eventually(lambda: _nothing_pending(redis))
    assert await count(database, DeadLetterRow) == 0


async def test_outage_uses_up_no_attempts_when_it_lasts(database: Database, redis: Redis) -> None:
    failures = [UnavailableError()] * (QUICK.max_attempts + 3)
    shop = Shop(fail=lambda _: failures.pop() if failures else None)
    async with running(Relay(database, redis), consumer(database, redis, shop.subscriber)):
        await publish(database, order())
        await eventually(lambda: shop.handled == ["order-1"])


async def test_event_becomes_a_dead_letter_when_every_attempt_fails(database: Database, redis: Redis) -> None:
    shop = Shop(fail=lambda event: ValueError("no \x00 such item") if event.aggregate_id == "order-1" else None)
    async with running(Relay(database, redis), consumer(database, redis, shop.subscriber)):
        await publish(database, order(1), order(2))
        await eventually(lambda: _is_buried(database))
        await eventually(lambda: _nothing_pending(redis))

    async with database.reader() as session:
        letter = (await session.scalars(select(DeadLetterRow))).one()
    assert (letter.subscriber, letter.topic, letter.attempts) == ("shop.on_order_placed", "order.placed", 3)
    assert letter.error == "ValueError: no \\x00 such item"
    assert shop.handled == ["order-2"]


async def _is_buried(database: Database) -> bool:
    return await count(database, DeadLetterRow) > 0


async def test_redriven_event_is_handled_when_its_cause_is_mended(database: Database, redis: Redis) -> None:
    broken = [True]
    shop = Shop(fail=lambda _: ValueError("broken") if broken else None)
    async with running(Relay(database, redis), consumer(database, redis, shop.subscriber)):
        await publish(database, order())
        await eventually(lambda: _is_buried(database))
        broken.clear()
        async with database.transaction() as session:
            await redrive(session, (await session.scalars(select(DeadLetterRow.id))).one())
        await eventually(lambda: shop.handled == ["order-1"])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"nonsense": b"\xff\x00"}, "is no event"),
        ({"id": "not-an-id", "version": "1", "payload": "{}"}, "is no event"),
        ({"id": "0198c0de-0000-7000-8000-000000000000", "version": "2", "payload": "{}"}, "has version 2"),
        ({"id": "0198c0de-0000-7000-8000-000000000000", "version": "1", "payload": "{]"}, "does not fit"),
        ({"id": "0198c0de-0000-7000-8000-000000000000", "version": "1", "payload": "{}"}, "does not fit"),
    ],
)
async def test_message_becomes_a_dead_letter_at_once_when_it_is_malformed(
    database: Database, redis: Redis, fields: dict, words: str
) -> None:
    shop = Shop()
    await redis.xadd("order.placed", fields)
    async with running(consumer(database, redis, shop.subscriber)):
        await eventually(lambda: _is_buried(database))
        await eventually(lambda: _nothing_pending(redis))

    async with database.reader() as session:
        letter = (await session.scalars(select(DeadLetterRow))).one()
    assert words in letter.error
    assert letter.attempts == 1
    assert shop.handled == []


async def test_message_becomes_a_dead_letter_when_it_kills_every_consumer(database: Database, redis: Redis) -> None:
    shop = Shop()
    await publish(database, order())
    await Relay(database, redis).relay_batch()
    await redis.xgroup_create("order.placed", "shop", id="0")
    ((_, ((message_id, _),)),) = await redis.xreadgroup("shop", "dead", {"order.placed": ">"})
    await redis.xclaim("order.placed", "shop", "dead", 0, [message_id], retrycount=QUICK.max_attempts, idle=10_000)

    async with running(consumer(database, redis, shop.subscriber)):
        await eventually(lambda: _is_buried(database))
    assert shop.handled == []


async def test_events_of_one_aggregate_are_handled_in_order_when_handlers_run_side_by_side(
    database: Database, redis: Redis
) -> None:
    seen: list[int] = []

    @subscribe(OrderPlaced)
    async def note(event: OrderPlaced, session: Session) -> None:
        await asyncio.sleep(0.02 if event.aggregate_version == 1 else 0)
        seen.append(event.aggregate_version)

    for version in (1, 2, 3):
        await publish(database, order(1, version=version))
        await Relay(database, redis).relay_batch()
    async with running(consumer(database, redis, note)):
        await eventually(lambda: len(seen) == 3)
    assert seen == [1, 2, 3]


async def test_consumer_names_do_not_pile_up_when_processes_come_and_go(database: Database, redis: Redis) -> None:
    for _ in range(2):
        async with running(Relay(database, redis), consumer(database, redis, Shop().subscriber)):
            await publish(database, order())
            await eventually(lambda: _has_consumers(redis, 1))
            await eventually(lambda: _nothing_pending(redis))
    assert await redis.xinfo_consumers("order.placed", "shop") == []


async def _has_consumers(redis: Redis, number: int) -> bool:
    groups = await redis.xinfo_groups("order.placed") if await redis.exists("order.placed") else []
    return [group["consumers"] for group in groups] == [number]


async def test_inbox_holds_no_note_when_the_effect_failed(database: Database, redis: Redis) -> None:
    shop = Shop(fail=lambda _: ValueError())
    async with running(Relay(database, redis), consumer(database, redis, shop.subscriber)):
        await publish(database, order())
        await eventually(lambda: _is_buried(database))
    assert await count(database, InboxRow) == 0
    assert await count(database, OutboxRow) == 1


async def test_outbox_of_another_process_is_relayed_when_no_notification_arrives(
    database: Database, redis: Redis
) -> None:
    async with database.transaction() as session:
        await session.execute(text("ALTER TABLE platform.outbox DISABLE TRIGGER notify_outbox"))
    try:
        async with running(Relay(database, redis)):
            await asyncio.sleep(0.1)
            await publish(database, order())
            await eventually(lambda: redis.exists("order.placed"), within_seconds=3)
    finally:
        async with database.transaction() as session:
            await session.execute(text("ALTER TABLE platform.outbox ENABLE TRIGGER notify_outbox"))
