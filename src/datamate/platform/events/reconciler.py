"""Makes Redis whole again after it lost data, and keeps the streams and the tables of events from growing."""

import asyncio
import time
from datetime import timedelta

import structlog
from redis.asyncio import Redis
from sqlalchemy import and_, delete, func, or_, select, update

from datamate.platform.background import repeat
from datamate.platform.cache.keys import CacheBumped
from datamate.platform.db.database import Database
from datamate.platform.db.outbox import OUTBOX_CHANNEL, OutboxRow, first_id_at
from datamate.platform.events.models import DeadLetterRow, InboxRow, SubscriptionRow
from datamate.platform.events.trimming import trim

CHECK_SECONDS = 5.0
CLEAN_SECONDS = 300.0
RETENTION_SECONDS = 7 * 86_400.0
"""How long events and notes of their handling are kept, and a subscriber that no process has is waited for."""
_CACHE_LOSS_SECONDS = 600.0
"""How far back voided cache values are voided again; longer than Redis may hold back its append-only file."""
SERVER_KEY = "datamate:server"

_log = structlog.get_logger("datamate.reconciler")


class Reconciler:
    """Watches Redis for a restart or a wipe; any number of them may run."""

    def __init__(self, database: Database, redis: Redis) -> None:
        """Use a Redis client with the patience of background loops."""
        self._database = database
        self._redis = redis
        self._next_clean = time.monotonic() + CLEAN_SECONDS

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until `stop` is set."""
        await repeat(self._step, name="reconciler", stop=stop)

    async def reconcile(self) -> int:
        """Send again what Redis may have lost, and return how many events that is; 0 while nothing happened to it.

        Redis carries the identity of the server process that we last saw. After a restart (which may lose the last
        second), a failover (which may lose more) or a wipe (which loses everything) it does not match any more.
        """
        server = str((await self._redis.info("server"))["run_id"])
        if await self._redis.get(SERVER_KEY) == server.encode():
            return 0
        count = await self._send_again()
        # After the commit: a crash before this line only sends them once more.
        await self._redis.set(SERVER_KEY, server)
        _log.info("Redis is new or was restarted", events_sent_again=count)
        return count

    async def _step(self) -> float:
        await self.reconcile()
        if time.monotonic() >= self._next_clean:
            self._next_clean = time.monotonic() + CLEAN_SECONDS
            await trim(self._redis)
            await self.clean()
        return CHECK_SECONDS

    async def _send_again(self) -> int:
        """Put every event back into the outbox that a subscriber still needs, and every recent voiding of a cache."""
        handled = select(InboxRow.event_id).where(
            InboxRow.subscriber == SubscriptionRow.subscriber, InboxRow.event_id == OutboxRow.id
        )
        buried = select(DeadLetterRow.id).where(
            DeadLetterRow.subscriber == SubscriptionRow.subscriber,
            DeadLetterRow.event_id == OutboxRow.id,
            DeadLetterRow.redriven_at.is_(None),
        )
        needed = select(SubscriptionRow.topic).where(
            SubscriptionRow.topic == OutboxRow.topic,
            ~handled.correlate(SubscriptionRow, OutboxRow).exists(),
            ~buried.correlate(SubscriptionRow, OutboxRow).exists(),
        )
        voided = and_(
            OutboxRow.topic == CacheBumped.topic, OutboxRow.id >= first_id_at(time.time() - _CACHE_LOSS_SECONDS)
        )
        async with self._database.transaction() as session:
            again = await session.scalars(
                update(OutboxRow)
                .where(OutboxRow.published_at.is_not(None), or_(needed.correlate(OutboxRow).exists(), voided))
                .values(published_at=None)
                .returning(OutboxRow.id)
            )
            count = len(again.all())
            if count:
                await session.execute(select(func.pg_notify(OUTBOX_CHANNEL, "")))
        return count

    async def clean(self) -> None:
        """Delete events past their retention, notes of their handling, and subscribers that are gone."""
        oldest = first_id_at(time.time() - RETENTION_SECONDS)
        async with self._database.transaction() as session:
            await session.execute(delete(OutboxRow).where(OutboxRow.id < oldest, OutboxRow.published_at.is_not(None)))
            await session.execute(delete(InboxRow).where(InboxRow.event_id < oldest))
            unseen = func.now() - timedelta(seconds=RETENTION_SECONDS)
            await session.execute(delete(SubscriptionRow).where(SubscriptionRow.seen_at < unseen))
