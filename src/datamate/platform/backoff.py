"""How long to wait before trying again."""

import random


def full_jitter_seconds(attempt: int, *, base_seconds: float, cap_seconds: float) -> float:
    """Return a random wait between 0 and `base · 2^(attempt-1)`, at most the cap, so that retries spread out.

    Args:
        attempt: How many attempts have failed, from 1.
        base_seconds: Longest wait after the first failure.
        cap_seconds: Longest wait ever.
    """
    longest = min(cap_seconds, base_seconds * 2.0 ** min(attempt - 1, 63))
    return random.uniform(0, longest)  # noqa: S311 - spreads load, keeps no secret
