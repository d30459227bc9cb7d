"""Hears PostgreSQL's notifications on a connection of its own, and reconnects when it breaks."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

from datamate.platform.background import pause, repeat
from datamate.platform.db.database import connect
from datamate.platform.db.errors import CONNECT_FAILURES

_CLOSE_SECONDS = 1.0

OnNotification = Callable[[str], None]


class Listener:
    """LISTEN for as long as a process runs. A notification may be lost, so whoever listens also polls."""

    def __init__(self, url: str, channels: Mapping[str, OnNotification]) -> None:
        """Describe what to hear; `run` connects.

        Args:
            url: The address of PostgreSQL.
            channels: What to call with the payload of each notification, by channel. Each is also called with ""
                after every connect, because something may have been missed before.
        """
        self._url = url
        self._channels = channels

    async def run(self, stop: asyncio.Event) -> None:
        """Listen until `stop` is set."""
        await repeat(lambda: self._listen(stop), name="listener", stop=stop)

    async def _listen(self, stop: asyncio.Event) -> float:
        connection = await connect(self._url, application_name="datamate listener")
        broken = asyncio.Event()
        connection.add_termination_listener(lambda _: broken.set())
        try:
            for channel, call in self._channels.items():
                await connection.add_listener(channel, lambda _c, _pid, _channel, payload, call=call: call(payload))
                call("")
            while not (stop.is_set() or broken.is_set()):
                await pause(3600, stop, broken)
        finally:
            with suppress(*CONNECT_FAILURES):
                await connection.close(timeout=_CLOSE_SECONDS)
        return 1.0
