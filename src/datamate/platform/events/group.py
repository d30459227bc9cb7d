"""One consumer's view of its consumer group over several streams."""

from collections.abc import Sequence
from typing import cast

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from datamate.platform.events.messages import Fields, Message

Entry = tuple[bytes, Fields | None]


class StreamGroup:
    """Reads, claims and acknowledges messages for one consumer of a group."""

    def __init__(self, redis: Redis, topics: Sequence[str], *, group: str, consumer: str) -> None:
        """Describe the consumer.

        Args:
            redis: A client with the patience of background loops.
            topics: The streams to read.
            group: Name of the service.
            consumer: Name of this process, never used before.
        """
        self._redis = redis
        self._topics = tuple(topics)
        self._group = group
        self._consumer = consumer

    async def create(self) -> None:
        """Make the groups that do not exist; a new one starts with the oldest message there is."""
        for topic in self._topics:
            try:
                await self._redis.xgroup_create(topic, self._group, id="0", mkstream=True)
            except ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise

    async def read(self, *, count: int, block_seconds: float) -> list[Message]:
        """Return messages that no consumer of the group has had, waiting for the first one."""
        reply = await self._redis.xreadgroup(
            self._group,
            self._consumer,
            dict.fromkeys(self._topics, ">"),
            count=count,
            block=max(1, int(block_seconds * 1000)),
        )
        streams = cast("list[tuple[bytes, list[Entry]]]", reply or [])
        return [_message(topic.decode(), entry, attempts=1) for topic, entries in streams for entry in entries]

    async def take_over(self, *, idle_seconds: float, count: int) -> list[Message]:
        """Return messages whose consumer has not been heard of for this long; they are now this one's."""
        taken = []
        for topic in self._topics:
            # Redis 6.2 answers two elements; 7 adds the ids that were deleted meanwhile, which it also acknowledges.
            _next, entries, *_deleted = await self._redis.xautoclaim(
                topic, self._group, self._consumer, min_idle_time=int(idle_seconds * 1000), start_id="0-0", count=count
            )
            for entry in entries:
                attempts = await self._attempts(topic, entry[0])
                taken.append(_message(topic, entry, attempts=attempts))
        return taken

    async def keep(self, message: Message, *, attempts: int) -> None:
        """Say that this consumer still works on a message, and how often it has tried."""
        await self._redis.xclaim(
            message.topic,
            self._group,
            self._consumer,
            min_idle_time=0,
            message_ids=[message.message_id],
            idle=0,
            retrycount=attempts,
            force=True,
            justid=True,
        )

    async def acknowledge(self, message: Message) -> None:
        """Say that the group is done with a message."""
        await self._redis.xack(message.topic, self._group, message.message_id)

    async def leave(self) -> None:
        """Remove this consumer where it has nothing pending, so that names do not pile up."""
        for topic in self._topics:
            pending = await self._redis.xpending_range(
                topic, self._group, min="-", max="+", count=1, consumername=self._consumer
            )
            if not pending:
                await self._redis.xgroup_delconsumer(topic, self._group, self._consumer)

    async def _attempts(self, topic: str, message_id: bytes) -> int:
        found = await self._redis.xpending_range(topic, self._group, min=message_id, max=message_id, count=1)
        return int(found[0]["times_delivered"]) if found else 1


def _message(topic: str, entry: Entry, *, attempts: int) -> Message:
    message_id, fields = entry
    return Message(topic, message_id.decode("ascii"), fields or {}, attempts)


def is_missing_group(error: Exception) -> bool:
    """Return whether Redis no longer knows the group, as after it was wiped."""
    return isinstance(error, ResponseError) and str(error).startswith("NOGROUP")
