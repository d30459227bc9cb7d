import asyncio
import time
from collections.abc import AsyncIterator

import argon2
import pytest

from datamate.core.errors import RateLimitedError
from datamate.platform.security import PasswordHasher, passwords


@pytest.fixture
async def hasher() -> AsyncIterator[PasswordHasher]:
    hasher = PasswordHasher()
    yield hasher
    hasher.close()


async def test_password_is_accepted_when_it_is_the_one_that_was_hashed(hasher):
    stored = await hasher.hash("correct horse")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert len(stored) <= 255
    assert await hasher.verify("correct horse", stored)
    assert not await hasher.verify("correct horse ", stored)


async def test_hashes_differ_when_the_password_is_the_same(hasher):
    assert await hasher.hash("x") != await hasher.hash("x")


@pytest.mark.parametrize("stored", ["", "plain", "$2b$10$abcdefghijklmnopqrstuv"])
async def test_password_is_refused_when_the_stored_text_is_no_hash(hasher, stored):
    assert not await hasher.verify("x", stored)


async def test_refusal_takes_as_long_when_there_is_no_such_user(hasher):
    stored = await hasher.hash("right")
    await hasher.verify("wrong", None)

    async def seconds(stored_hash: str | None) -> float:
        least = float("inf")
        for _ in range(7):
            started = time.perf_counter()
            assert not await hasher.verify("wrong", stored_hash)
            least = min(least, time.perf_counter() - started)
        return least

    known, unknown = await seconds(stored), await seconds(None)
    assert 0.4 < unknown / known < 2.5


async def test_hash_is_made_anew_when_its_parameters_are_others(hasher):
    assert hasher.needs_rehash(argon2.PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash("x"))
    assert hasher.needs_rehash("not a hash")
    assert not hasher.needs_rehash(await hasher.hash("x"))


async def test_sign_in_is_put_off_when_too_many_wait(hasher, monkeypatch):
    monkeypatch.setattr(passwords, "MAX_WAITING", 2)
    results = await asyncio.gather(*(hasher.hash("x") for _ in range(4)), return_exceptions=True)
    assert [isinstance(result, RateLimitedError) for result in results] == [False, False, True, True]
    assert await hasher.hash("x")


async def test_loop_goes_on_when_a_password_is_hashed(hasher):
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0.001)

    heart = asyncio.create_task(beat())
    await hasher.hash("x")
    heart.cancel()
    assert beats > 3
