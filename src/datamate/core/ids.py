"""Identifiers that sort by the time of their making: UUID version 7 (RFC 9562)."""

import os
import time
from uuid import UUID

_VERSION_7 = 0x7 << 76
_VARIANT_RFC = 0b10 << 62
_RANDOM_A_MASK = ((1 << 12) - 1) << 64
_RANDOM_B_MASK = (1 << 62) - 1


def uuid7() -> UUID:
    """Return a new UUIDv7: 48 bits of Unix milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    return UUID(int=milliseconds << 80 | _VERSION_7 | (random & _RANDOM_A_MASK) | _VARIANT_RFC | (random & _RANDOM_B_MASK))


def new_id() -> str:
    """Return a new identifier as text: 36 characters, later ones sort after earlier milliseconds."""
    return str(uuid7())
