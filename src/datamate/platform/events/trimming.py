"""Drops from the streams what every consumer group is done with."""

import time

from redis.asyncio import Redis
from redis.exceptions import ResponseError

_Position = tuple[int, int]

KEEP_SECONDS = 300.0
"""Every message stays this long for broadcast readers, which have no group."""
LOSE_SECONDS = 7 * 86_400.0
"""A group that is further behind than this is dead; the outbox does not hold its messages any more either."""

TOPICS_KEY = "datamate:topics"
"""The set of streams there are; relays add to it."""


async def trim(redis: Redis) -> None:
    """Trim each stream up to what its slowest group still needs."""
    for topic in await redis.smembers(TOPICS_KEY):
        try:
            groups = await redis.xinfo_groups(topic)
        except ResponseError:  # there is no such stream
            continue
        now = time.time()
        needed = [await _first_needed(redis, topic, group) for group in groups]
        keep_from = min([*needed, _at(now - KEEP_SECONDS)])
        keep_from = max(keep_from, _at(now - LOSE_SECONDS))
        await redis.xtrim(topic, minid=f"{keep_from[0]}-{keep_from[1]}", approximate=True)


async def _first_needed(redis: Redis, topic: bytes | str, group: dict[str, bytes]) -> _Position:
    """Return the oldest message that a group has not acknowledged, or the last one it was given."""
    pending = await redis.xpending(topic, group["name"])
    return _position(pending["min"] if pending["pending"] else group["last-delivered-id"])


def _at(unix_seconds: float) -> _Position:
    return int(unix_seconds * 1000), 0


def _position(message_id: bytes) -> _Position:
    milliseconds, _, sequence = message_id.decode("ascii").partition("-")
    return int(milliseconds), int(sequence)
