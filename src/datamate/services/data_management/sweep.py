"""Tidies up in the background: uploads nobody finished, objects nobody needs, totals in many pieces."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Final

import structlog

from datamate.core.clock import utc_now
from datamate.services.data_management.blobs.service import STAGING
from datamate.services.data_management.deps import DataManagementResources
from datamate.services.data_management.statistics.service import fold_changes
from datamate.services.data_management.uploads.service import LIFETIME, expire_uploads

INTERVAL_SECONDS: Final = 300.0
STAGED_FOR: Final = LIFETIME
"""How long an object may lie below `staging/`: a run that publishes it must have done so by then."""

PARTIAL_FOR: Final = timedelta(days=1)
"""How long a file may stay half written without another byte coming."""

_EXPIRED_AT_ONCE: Final = 100
_DELETED_AT_ONCE: Final = 1_000

_log = structlog.get_logger(__name__)


class Sweep:
    """One round every five minutes; any number of replicas may sweep at the same time."""

    def __init__(self, resources: DataManagementResources) -> None:
        """Sweep the database and the object store of `resources`."""
        self._resources = resources

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep until `stop` is set; a round that fails is told to the log and repeated at its time."""
        while not stop.is_set():
            try:
                await self.sweep()
            except Exception:  # noqa: BLE001 - the boundary of a background loop, which must outlive any failure
                _log.exception("sweep_failed")
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), INTERVAL_SECONDS)

    async def sweep(self) -> None:
        """Do one round."""
        while await self._expire_uploads() == _EXPIRED_AT_ONCE:
            pass
        await fold_changes(self._resources.database)
        await self.discard_staged(older_than=STAGED_FOR)
        await self._resources.store.discard_partial_writes(older_than_seconds=PARTIAL_FOR.total_seconds())

    async def discard_staged(self, *, older_than: timedelta) -> int:
        """Delete objects below `staging/` that are older and return how many; no row ever names one of them."""
        limit = utc_now() - older_than
        store, deleted, batch = self._resources.store, 0, list[str]()
        async for info in store.list(STAGING):
            if info.modified_at < limit:
                batch.append(info.key)
            if len(batch) == _DELETED_AT_ONCE:
                await store.delete(batch)
                deleted, batch = deleted + len(batch), []
        await store.delete(batch)
        return deleted + len(batch)

    async def _expire_uploads(self) -> int:
        async with self._resources.database.transaction() as session:
            return await expire_uploads(session, limit=_EXPIRED_AT_ONCE)
