"""The embedded Redis: private, durable to the second, and never taken over by a second server."""

import os
import signal
import stat
from pathlib import Path

import pytest
import redis.asyncio
from redis.exceptions import ConnectionError as RedisConnectionError

from datamate.platform.embedded.process_lock import take_over, try_lock


async def test_server_keeps_what_was_written_when_it_is_stopped(redis, start):
    async with start(redis):
        client = await client_of(redis.url)
        await client.set("key", "value")
        await client.aclose()
    async with start(redis):
        client = await client_of(redis.url)
        assert await client.get("key") == b"value"
        assert (await client.config_get("maxmemory-policy"))["maxmemory-policy"] == "noeviction"
        await client.aclose()


async def test_server_starts_again_when_it_was_killed(redis, start):
    async with start(redis) as process:
        os.kill(process.pid, signal.SIGKILL)
    async with start(redis):
        assert await redis.is_ready()


async def test_password_is_demanded_and_in_no_argument_when_the_server_runs(redis, start):
    async with start(redis) as process:
        password = redis.url.split(":")[2].split("@")[0]
        with pytest.raises(RedisConnectionError, match="invalid username-password pair"):
            await client_of(redis.url.replace(password, "wrong"))
        assert password not in arguments_of(process.pid)
        assert stat.S_IMODE(redis.socket.stat().st_mode) == 0o700
        assert stat.S_IMODE(redis.socket.parent.stat().st_mode) == 0o700


async def test_second_server_waits_for_the_lock_when_one_is_running(redis, start):
    async with start(redis) as process:
        assert try_lock(redis.lock) is None
        leftovers: list[int] = []
        lock = await take_over(redis.lock, patience_seconds=0.05, on_leftover=leftovers.extend)
        os.close(lock)
        assert leftovers == [process.pid]


def arguments_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


async def client_of(url: str) -> redis.asyncio.Redis:
    client = redis.asyncio.Redis.from_url(url)
    try:
        await client.ping()
    except RedisConnectionError:
        await client.aclose()
        raise
    return client
