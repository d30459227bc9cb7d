"""How cached values lie in Redis, and how they are made void."""

import uuid
from typing import ClassVar

from redis.asyncio.client import Pipeline

from datamate.contracts.events import Event

GENERATION_TTL_SECONDS = 86_400
"""Must outlast the slowest load; afterwards a reader that is still loading may not fill the cache."""

_BUMP = """
redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2])
return redis.call('DEL', KEYS[1])
"""


def value_key(namespace: str, key: str) -> str:
    """Return where a value lies; the braces keep it on one cluster node with its generation."""
    return f"cache:{{{namespace}:{key}}}:value"


def generation_key(namespace: str, key: str) -> str:
    """Return where the generation of a value lies: random text, replaced by every bump."""
    return f"cache:{{{namespace}:{key}}}:generation"


def new_generation() -> str:
    """Return a generation that was never used before, so that a wiped Redis cannot repeat one."""
    return uuid.uuid4().hex


def queue_bump(pipeline: Pipeline, namespace: str, key: str) -> None:
    """Add to a pipeline the command that voids a value and whatever load of it is in flight."""
    keys = (value_key(namespace, key), generation_key(namespace, key))
    pipeline.eval(_BUMP, len(keys), *keys, new_generation(), GENERATION_TTL_SECONDS)


class CacheBumped(Event):
    """A cached value became void; the relay applies it to Redis instead of putting it on a stream."""

    topic: ClassVar[str] = "cache.bumped"

    namespace: str
    key: str
