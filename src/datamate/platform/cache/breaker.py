"""A breaker that spares callers the wait for a Redis that does not answer."""

import time


class Breaker:
    """Closed while calls succeed; after a failure it lets one call through per interval until one succeeds."""

    def __init__(self, interval_seconds: float = 1.0) -> None:
        self._interval_seconds = interval_seconds
        self._next_try: float | None = None

    def allows(self) -> bool:
        """Return whether to try now; after a failure, True at most once per interval."""
        if self._next_try is None:
            return True
        now = time.monotonic()
        if now < self._next_try:
            return False
        self._next_try = now + self._interval_seconds
        return True

    def succeeded(self) -> None:
        """Close the breaker."""
        self._next_try = None

    def failed(self) -> None:
        """Open the breaker for one interval."""
        self._next_try = time.monotonic() + self._interval_seconds
