"""Password hashing: Argon2id, one at a time, and as slow for unknown users as for known ones."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import argon2
from argon2.exceptions import Argon2Error, InvalidHashError

from datamate.core.errors import RateLimitedError

ResultT = TypeVar("ResultT")

MAX_WAITING: Final = 100
"""Hashes that may wait their turn; at about 30 ms each the last one waits three seconds."""


class PasswordHasher:
    """Hashes and verifies passwords with 19 MiB, two passes, one lane.

    Source: OWASP Password Storage Cheat Sheet, Argon2id minimum. One thread, so that a storm of sign-ins costs
    19 MiB and one core, not all of them.
    """

    def __init__(self) -> None:
        self._argon2 = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="argon2")
        self._decoy: str | None = None
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """Return the text to store for a new password.

        Raises:
            RateLimitedError: Too many hashes wait already.
        """
        return await self._run(lambda: self._argon2.hash(password))

    async def verify(self, password: str, stored_hash: str | None) -> bool:
        """Return whether a password is the stored one; False after the same time if there is no such user.

        Args:
            password: What the client sent.
            stored_hash: What `hash` returned once, or None for an unknown user.

        Raises:
            RateLimitedError: Too many hashes wait already.
        """
        return await self._run(lambda: self._verify(password, stored_hash))

    def needs_rehash(self, stored_hash: str) -> bool:
        """Return whether a hash was made with other parameters and is to be made anew at the next sign-in."""
        try:
            return self._argon2.check_needs_rehash(stored_hash)
        except InvalidHashError:
            return True

    def close(self) -> None:
        """Stop the thread; what still waits is dropped."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password: str, stored_hash: str | None) -> bool:
        if self._decoy is None:
            self._decoy = self._argon2.hash(secrets.token_hex())
        try:
            self._argon2.verify(stored_hash or self._decoy, password)
        except (Argon2Error, InvalidHashError):
            return False
        return stored_hash is not None

    async def _run(self, work: Callable[[], ResultT]) -> ResultT:
        if self._waiting >= MAX_WAITING:
            raise RateLimitedError("Too many people sign in at this moment; try again in a few seconds.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, work)
        finally:
            self._waiting -= 1
