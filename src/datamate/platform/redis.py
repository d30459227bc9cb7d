"""Connections to Redis, with the patience that fits who waits."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from datamate.config.redis import RedisSettings
from datamate.core.errors import ConfigurationError

__all__ = ["Redis", "connect_redis"]


def connect_redis(settings: RedisSettings, *, for_requests: bool) -> Redis:
    """Return a client that connects on first use, answers in bytes and never retries by itself.

    Args:
        settings: Address and timeouts.
        for_requests: True while a client waits (100 ms by default), False in background loops (5 s by default).

    Raises:
        ConfigurationError: There is no address.
    """
    if settings.url is None:
        raise ConfigurationError("There is no address of Redis; set DATAMATE_REDIS__URL.")
    timeout = settings.request_timeout_seconds if for_requests else settings.stream_timeout_seconds
    return Redis.from_url(
        settings.url.get_secret_value(),
        protocol=2,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
    )
