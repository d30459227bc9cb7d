"""Values read through Redis: loaded once, filled only while still current, void as soon as they change."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from datamate.platform.cache.breaker import Breaker
from datamate.platform.cache.keys import (
    GENERATION_TTL_SECONDS,
    CacheBumped,
    generation_key,
    new_generation,
    queue_bump,
    value_key,
)
from datamate.platform.db.session import Session

ValueT = TypeVar("ValueT")

REDIS_FAILURES = (RedisError, OSError, asyncio.TimeoutError)

_OPEN_GENERATION = """
local generation = redis.call('GET', KEYS[1])
if not generation then
  generation = ARGV[1]
  redis.call('SET', KEYS[1], generation, 'EX', ARGV[2])
end
return generation
"""
_FILL = """
if redis.call('GET', KEYS[2]) == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  return 1
end
return 0
"""


@dataclass(frozen=True, slots=True)
class Slot(Generic[ValueT]):
    """Where one value is cached, for how long, and how it becomes bytes."""

    namespace: str
    key: str
    ttl_seconds: float
    adapter: TypeAdapter[ValueT]


class Cache:
    """Cached values as one process sees them; without Redis every read goes straight to its source."""

    def __init__(self, redis: Redis) -> None:
        """Use a client with the short timeouts of the request path."""
        self._redis = redis
        self._open_generation = redis.register_script(_OPEN_GENERATION)
        self._fill = redis.register_script(_FILL)
        self._breaker = Breaker()
        self._flights: dict[tuple[str, bytes], asyncio.Future[bytes]] = {}

    async def read(self, slot: Slot[ValueT], load: Callable[[], Awaitable[ValueT]]) -> ValueT:
        """Return the cached value, or load it; readers that miss together share one load.

        Whatever `load` raises is raised here and is not cached.
        """
        if not self._breaker.allows():
            return await load()
        try:
            cached = await self._redis.get(value_key(slot.namespace, slot.key))
            generation = b"" if cached is not None else await self._generation(slot)
        except REDIS_FAILURES:
            self._breaker.failed()
            return await load()
        self._breaker.succeeded()
        if cached is None:
            return await self._load_together(slot, generation, load)
        try:
            return slot.adapter.validate_json(cached)
        except ValidationError:  # another release wrote it in another shape
            await self._void(slot.namespace, slot.key)
            return await load()

    async def bump(self, session: Session, namespace: str, key: str) -> None:
        """Make a value void because `session` changes what it was made from.

        Void now, so that a crash right after the commit leaves nothing old; again after the commit, for readers that
        filled it in between; and once more through the outbox, should this process or Redis die before that.
        """
        session.publish(CacheBumped(aggregate_id=namespace, aggregate_version=0, namespace=namespace, key=key))
        await self._void(namespace, key)
        session.after_commit(lambda: self._void(namespace, key))

    async def _void(self, namespace: str, key: str) -> None:
        if not self._breaker.allows():
            return
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                queue_bump(pipeline, namespace, key)
                await pipeline.execute()
        except REDIS_FAILURES:
            self._breaker.failed()
        else:
            self._breaker.succeeded()

    async def _generation(self, slot: Slot[ValueT]) -> bytes:
        keys = [generation_key(slot.namespace, slot.key)]
        generation: bytes = await self._open_generation(keys, [new_generation(), GENERATION_TTL_SECONDS])
        return generation

    async def _load_together(
        self, slot: Slot[ValueT], generation: bytes, load: Callable[[], Awaitable[ValueT]]
    ) -> ValueT:
        """Load, or wait for whoever in this process already loads this generation."""
        flight_key = (value_key(slot.namespace, slot.key), generation)
        while (flight := self._flights.get(flight_key)) is not None:
            await asyncio.wait([flight])
            if not flight.cancelled():
                return slot.adapter.validate_json(flight.result())
        flight = asyncio.get_running_loop().create_future()
        self._flights[flight_key] = flight
        try:
            value = await load()
            encoded = slot.adapter.dump_json(value)
        except Exception as error:
            flight.set_exception(error)
            flight.exception()  # marks it as seen: nobody else may be waiting
            raise
        else:
            flight.set_result(encoded)
        finally:
            # When this reader was cancelled, the next one that waits becomes the loader.
            flight.cancel()
            del self._flights[flight_key]
        await self._store(slot, generation, encoded)
        return value

    async def _store(self, slot: Slot[ValueT], generation: bytes, encoded: bytes) -> None:
        keys = [value_key(slot.namespace, slot.key), generation_key(slot.namespace, slot.key)]
        try:
            await self._fill(keys, [generation, encoded, int(slot.ttl_seconds * 1000)])
        except REDIS_FAILURES:
            self._breaker.failed()
