"""Brings events to every replica: at once through Redis, and within about a second through PostgreSQL without it."""

import asyncio
import time
from collections.abc import Sequence
from typing import cast

import orjson
import structlog
from redis.asyncio import Redis
from redis.typing import KeyT, StreamIdT
from sqlalchemy import select

from datamate.contracts.events import Event
from datamate.platform.background import cancel_and_wait, repeat
from datamate.platform.db.database import Database
from datamate.platform.db.outbox import OutboxRow, first_id_at
from datamate.platform.events.group import Entry
from datamate.platform.events.messages import Envelope, MalformedEventError, decode
from datamate.platform.events.subscribers import BroadcastSubscriber

POLL_SECONDS = 1.0
WINDOW_SECONDS = 60.0
"""How far back the poll looks: longer than any transaction between making an event's id and its commit."""
_BLOCK_SECONDS = 2.0
_BATCH_SIZE = 500

_log = structlog.get_logger("datamate.events")


class BroadcastListener:
    """Calls the broadcast subscribers of one process for each event after its start, normally once."""

    def __init__(self, database: Database, redis: Redis, subscribers: Sequence[BroadcastSubscriber[Event]]) -> None:
        """Describe the listener; `run` starts it.

        Args:
            database: Where the outbox is.
            redis: A client with the patience of background loops.
            subscribers: Who listens. One that raises is logged and not called again for that event.
        """
        self._database = database
        self._redis = redis
        self._subscribers: dict[str, list[BroadcastSubscriber[Event]]] = {}
        for subscriber in subscribers:
            self._subscribers.setdefault(subscriber.event.topic, []).append(subscriber)
        self._positions: dict[str, bytes] = {}
        self._heard: set[str] = set()
        self._polled_at: float | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Listen until `stop` is set."""
        if not self._subscribers:
            return
        reading = asyncio.create_task(repeat(self._read, name="broadcast streams", stop=stop))
        try:
            await repeat(self._poll, name="broadcast poll", stop=stop)
        finally:
            await cancel_and_wait(reading)

    async def _read(self) -> float:
        """Call for what comes through Redis."""
        for topic in self._subscribers.keys() - self._positions.keys():
            newest = await self._redis.xrevrange(topic, count=1)
            self._positions[topic] = cast("bytes", newest[0][0]) if newest else b"0-0"
        positions = cast("dict[KeyT, StreamIdT]", self._positions)
        reply = await self._redis.xread(positions, count=_BATCH_SIZE, block=int(_BLOCK_SECONDS * 1000))
        for stream, entries in cast("list[tuple[bytes, list[Entry]]]", reply or []):
            topic = stream.decode()
            for entry_id, fields in entries:
                self._positions[topic] = entry_id
                try:
                    await self._hear(topic, decode(topic, fields or {}))
                except MalformedEventError as error:
                    _log.warning("an event cannot be read", topic=topic, error=str(error))
        return 0.0

    async def _poll(self) -> float:
        """Call for what is in the outbox and did not come through Redis."""
        started = time.time()
        oldest = first_id_at((self._polled_at or started) - WINDOW_SECONDS)
        async with self._database.reader() as session:
            found = await session.scalars(
                select(OutboxRow.id).where(OutboxRow.topic.in_(list(self._subscribers)), OutboxRow.id >= oldest)
            )
            missed = sorted(set(found) - self._heard)
            if self._polled_at is None:  # what was there before the start concerns nobody here
                self._heard.update(missed)
                missed = []
            rows = await session.scalars(select(OutboxRow).where(OutboxRow.id.in_(missed))) if missed else ()
            events = [(row.topic, Envelope(row.id, row.version, orjson.dumps(row.payload))) for row in rows]
        for topic, envelope in sorted(events, key=lambda each: each[1].event_id):
            await self._hear(topic, envelope)
        self._polled_at = started
        self._heard = {event_id for event_id in self._heard if event_id >= oldest}
        return POLL_SECONDS

    async def _hear(self, topic: str, envelope: Envelope) -> None:
        if envelope.event_id in self._heard:
            return
        self._heard.add(envelope.event_id)
        for subscriber in self._subscribers[topic]:
            try:
                await subscriber.handle(envelope.open(subscriber.event))
            except Exception:  # noqa: BLE001 - one subscriber's mistake must not silence the others
                _log.warning("a broadcast subscriber failed", topic=topic, event_id=envelope.event_id, exc_info=True)
