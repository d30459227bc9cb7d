"""Which version a Redis server has, embedded or not."""

from redis.exceptions import RedisError

from datamate.config.redis import RedisSettings
from datamate.core.errors import UnavailableError
from datamate.platform.redis import connect_redis


async def redis_version(settings: RedisSettings) -> str:
    """Return the version of the server that `settings` name, such as "6.2.14".

    Raises:
        UnavailableError: It does not answer, or refuses the password.
    """
    client = connect_redis(settings, for_requests=False)
    try:
        return str((await client.info("server"))["redis_version"])
    except RedisError as error:
        raise UnavailableError(f"Redis does not answer: {error}. Check DATAMATE_REDIS__URL and the server.") from error
    finally:
        await client.aclose()
