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
    bits = int.from_bytes(os.urandom(10))
    random_bits = (bits & _RANDOM_A_MASK) | (bits & _RANDOM_B_MASK)
    return UUID(int=milliseconds << 80 | _VERSION_7 | _VARIANT_RFC | random_bits)


def new_id() -> str:
    """Return a new identifier as text: 36 characters, later ones sort after earlier milliseconds."""
    return str(uuid7())
