"""Connections to Redis, with the patience that fits who waits."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, AuthorizationError, RedisError, ResponseError

from datamate.config.redis import RedisSettings
from datamate.core.errors import ConfigurationError, UnavailableError

__all__ = ["Redis", "check_redis", "connect_redis"]

_REFUSALS = (AuthenticationError, AuthorizationError, ResponseError)


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


async def check_redis(redis: Redis) -> None:
    """Ask Redis whether it accepts us.

    Raises:
        ConfigurationError: It refuses our user or password.
        UnavailableError: It does not answer.
    """
    try:
        await redis.ping()
    except (RedisError, OSError) as error:
        # A refusal while connecting comes wrapped as if the connection had failed.
        if isinstance(error, _REFUSALS) or isinstance(error.__cause__, _REFUSALS):
            raise ConfigurationError(f"Redis refuses this process: {error} Check DATAMATE_REDIS__URL.") from error
        raise UnavailableError(f"Redis does not answer: {error}") from error
