"""Brings events from Redis to the subscribers of one service, each handled once, failures retried with patience."""

import asyncio
import math
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from datamate.contracts.events import Event
from datamate.core.errors import DatamateError, UnavailableError
from datamate.platform.background import repeat
from datamate.platform.backoff import full_jitter_seconds
from datamate.platform.db.database import Database
from datamate.platform.events.delivery import bury, deliver, register
from datamate.platform.events.group import StreamGroup, is_missing_group
from datamate.platform.events.messages import MalformedEventError, Message, decode
from datamate.platform.events.subscribers import Subscriber

_REGISTRATION_SECONDS = 3600.0

_log = structlog.get_logger("datamate.events")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerTuning:
    """How a consumer reads and how patient it is.

    Attributes:
        batch_size: Most messages in hand at once.
        concurrency: Handlers that run at the same time; those of one aggregate never do.
        block_seconds: Longest wait of one read; must be below the client's socket timeout.
        dead_seconds: A message that its consumer has neither handled nor kept for so long is taken over.
        max_attempts: Deliveries after which a message becomes a dead letter.
        backoff_base_seconds: Longest pause after the first failure.
        backoff_cap_seconds: Longest pause at all; must be below `dead_seconds`.
    """

    batch_size: int = 100
    concurrency: int = 8
    block_seconds: float = 1.0
    dead_seconds: float = 60.0
    max_attempts: int = 10
    backoff_base_seconds: float = 0.5
    backoff_cap_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A message to try again at a time of `time.monotonic`."""

    message: Message
    due: float


class Consumer:
    """One member of a service's consumer group."""

    def __init__(
        self,
        database: Database,
        redis: Redis,
        service: str,
        subscribers: Sequence[Subscriber[Event]],
        *,
        tuning: ConsumerTuning | None = None,
    ) -> None:
        """Describe the consumer; `run` starts it.

        Args:
            database: Where effects go.
            redis: A client with the patience of background loops.
            service: Name of the consumer group.
            subscribers: Who listens.
            tuning: How to read; leave out for the defaults.
        """
        self._database = database
        self._service = service
        self._tuning = tuning or ConsumerTuning()
        self._subscribers: dict[str, list[Subscriber[Event]]] = {}
        for subscriber in subscribers:
            self._subscribers.setdefault(subscriber.event.topic, []).append(subscriber)
        name = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._group = StreamGroup(redis, list(self._subscribers), group=service, consumer=name)
        self._waiting: dict[tuple[str, str], _Waiting] = {}
        self._ready = False
        self._next_take_over = 0.0
        self._next_registration = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set; messages in hand are finished first."""
        if not self._subscribers:
            return
        await repeat(self._step, name=f"consumer {self._service}", stop=stop)
        try:
            await self._group.leave()
        except (RedisError, OSError):
            _log.info("Redis is away; the consumer's name stays in its group", service=self._service)

    async def _step(self) -> float:
        if not self._ready or time.monotonic() >= self._next_registration:
            await self._prepare()
        try:
            await self._handle_all(self._due())
            if time.monotonic() >= self._next_take_over:
                self._next_take_over = time.monotonic() + self._tuning.dead_seconds / 4
                await self._handle_all(
                    await self._group.take_over(idle_seconds=self._tuning.dead_seconds, count=self._tuning.batch_size)
                )
            return await self._read()
        except ResponseError as error:
            if not is_missing_group(error):
                raise
            self._ready = False  # Redis was wiped: the next round makes the groups again
            return 0.0

    async def _prepare(self) -> None:
        names = [(topic, self._full_name(each)) for topic, all_of in self._subscribers.items() for each in all_of]
        await register(self._database, names)
        await self._group.create()
        self._next_registration = time.monotonic() + _REGISTRATION_SECONDS
        self._ready = True

    async def _read(self) -> float:
        """Handle new messages; while too many wait for another try, read none and return how long to pause."""
        next_due = min((waiting.due for waiting in self._waiting.values()), default=math.inf) - time.monotonic()
        seconds = max(0.0, min(self._tuning.block_seconds, next_due))
        room = self._tuning.batch_size - len(self._waiting)
        if room <= 0:
            return seconds
        await self._handle_all(await self._group.read(count=room, block_seconds=seconds))
        return 0.0

    def _due(self) -> list[Message]:
        """Take out the messages whose pause is over."""
        now = time.monotonic()
        due = [key for key, waiting in self._waiting.items() if waiting.due <= now]
        return [self._waiting.pop(key).message for key in due]

    async def _handle_all(self, messages: Sequence[Message]) -> None:
        """Handle messages side by side, but those of one aggregate one after the other."""
        if not messages:
            return
        slots = asyncio.Semaphore(self._tuning.concurrency)
        chains: dict[tuple[str, bytes], list[Message]] = {}
        for message in messages:
            chains.setdefault((message.topic, message.aggregate), []).append(message)

        async def work(chain: list[Message]) -> None:
            for message in chain:
                async with slots:
                    await self._handle(message)

        async with asyncio.TaskGroup() as group:
            for chain in chains.values():
                group.create_task(work(chain))

    async def _handle(self, message: Message) -> None:
        """Bring a message to every subscriber, then acknowledge it, or note it for another try."""
        try:
            if message.attempts > 1:
                await self._group.keep(message, attempts=message.attempts)
            failures = await self._bring(message)
            if not failures:
                await self._group.acknowledge(message)
                return
        except (UnavailableError, RedisError, OSError) as error:
            self._ready = self._ready and not is_missing_group(error)
            failures = [error]
        outage = all(isinstance(error, UnavailableError | RedisError | OSError) for error in failures)
        self._try_again(message, counted=not outage)

    async def _bring(self, message: Message) -> list[Exception]:
        """Have every subscriber handle the message and return what failed but is worth another try."""
        subscribers = self._subscribers[message.topic]
        event_id = None
        try:
            envelope = decode(message.topic, message.fields)
            event_id = envelope.event_id
            event = envelope.open(subscribers[0].event)
        except MalformedEventError as error:
            for subscriber in subscribers:
                await self._bury(message, subscriber, event_id=event_id, error=error)
            return []
        attempts = [await self._attempt(each, event, message, event_id=event_id) for each in subscribers]
        return [failure for failure in attempts if failure is not None]

    async def _attempt(
        self, subscriber: Subscriber[Event], event: Event, message: Message, *, event_id: str
    ) -> Exception | None:
        name = self._full_name(subscriber)
        if message.attempts > self._tuning.max_attempts:  # each of them ended with the death of its process
            error = DatamateError(f"{message.attempts - 1} processes died while they handled it.")
            await self._bury(message, subscriber, event_id=event_id, error=error)
            return None
        try:
            await deliver(self._database, subscriber, event, event_id=event_id, name=name)
        except UnavailableError as failure:
            return failure
        except Exception as failure:  # noqa: BLE001 - any handler's mistake must end as a retry or a dead letter
            _log.warning(
                "a subscriber failed", subscriber=name, event_id=event_id, attempt=message.attempts, exc_info=True
            )
            if message.attempts < self._tuning.max_attempts:
                return failure
            await self._bury(message, subscriber, event_id=event_id, error=failure)
        return None

    async def _bury(
        self, message: Message, subscriber: Subscriber[Event], *, event_id: str | None, error: Exception
    ) -> None:
        name = self._full_name(subscriber)
        _log.error(
            "an event became a dead letter", subscriber=name, topic=message.topic, event_id=event_id, error=str(error)
        )
        await bury(self._database, message, name=name, event_id=event_id, error=error)

    def _try_again(self, message: Message, *, counted: bool) -> None:
        """Keep a message for later; an outage is nobody's fault and does not count as an attempt."""
        wait = full_jitter_seconds(
            message.attempts,
            base_seconds=self._tuning.backoff_base_seconds,
            cap_seconds=self._tuning.backoff_cap_seconds,
        )
        later = replace(message, attempts=message.attempts + 1) if counted else message
        self._waiting[message.topic, message.message_id] = _Waiting(later, time.monotonic() + wait)

    def _full_name(self, subscriber: Subscriber[Event]) -> str:
        return f"{self._service}.{subscriber.name}"
