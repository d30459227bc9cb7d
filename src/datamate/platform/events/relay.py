"""Moves events from the outbox to Redis; any number of relays may run."""

import asyncio
from collections.abc import Sequence

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from sqlalchemy import func, select, update

from datamate.platform.background import cancel_and_wait, repeat
from datamate.platform.cache.keys import CacheBumped, queue_bump
from datamate.platform.db.database import Database
from datamate.platform.db.listener import Listener
from datamate.platform.db.outbox import OUTBOX_CHANNEL, OutboxRow
from datamate.platform.events.messages import PendingEvent, encode
from datamate.platform.events.trimming import TOPICS_KEY

BATCH_SIZE = 500
POLL_SECONDS = 1.0

PENDING_COLUMNS = (OutboxRow.id, OutboxRow.topic, OutboxRow.version, OutboxRow.aggregate_id, OutboxRow.payload)

_log = structlog.get_logger("datamate.relay")


class Relay:
    """Sends what the outbox holds, within milliseconds of the commit, at least once."""

    def __init__(self, database: Database, redis: Redis) -> None:
        """Use a Redis client with the patience of background loops."""
        self._database = database
        self._redis = redis
        self._wake = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until `stop` is set."""
        listener = Listener(self._database.url, {OUTBOX_CHANNEL: lambda _: self._wake.set()})
        listening = asyncio.create_task(listener.run(stop))
        try:
            await repeat(self._step, name="relay", stop=stop, wake=self._wake)
        finally:
            await cancel_and_wait(listening)

    async def relay_batch(self) -> int:
        """Send the oldest events that nobody else is sending, and return how many there were.

        A crash after Redis took them and before the commit sends them again; consumers know them by their id.
        """
        async with self._database.transaction() as session:
            # By what is unpublished and never by "after the last id": ids commit out of order.
            rows = (
                await session.execute(
                    select(*PENDING_COLUMNS)
                    .where(OutboxRow.published_at.is_(None))
                    .order_by(OutboxRow.id)
                    .limit(BATCH_SIZE)
                    .with_for_update(skip_locked=True)
                )
            ).all()
            if not rows:
                return 0
            sent = await self._send([PendingEvent(*row) for row in rows])
            await session.execute(update(OutboxRow).where(OutboxRow.id.in_(sent)).values(published_at=func.now()))
        return len(rows)

    async def _step(self) -> float:
        return 0.0 if await self.relay_batch() == BATCH_SIZE else POLL_SECONDS

    async def _send(self, rows: Sequence[PendingEvent]) -> list[str]:
        """Put events on Redis in one round trip and return the ids of those that it took."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            for row in rows:
                _queue(pipeline, row)
            pipeline.sadd(TOPICS_KEY, *{row.topic for row in rows})
            *replies, _ = await pipeline.execute(raise_on_error=False)
        refused = {row.id: reply for row, reply in zip(rows, replies, strict=True) if isinstance(reply, Exception)}
        if refused:
            error = next(iter(refused.values()))
            _log.error("Redis refused events; they stay in the outbox", count=len(refused), error=str(error))
            if len(refused) == len(rows):
                raise error
        return [row.id for row in rows if row.id not in refused]


def _queue(pipeline: Pipeline, row: PendingEvent) -> None:
    """Add the one command that delivers an event."""
    if row.topic == CacheBumped.topic:
        bumped = CacheBumped.model_validate(row.payload)
        queue_bump(pipeline, bumped.namespace, bumped.key)
    else:
        pipeline.xadd(row.topic, encode(row))
