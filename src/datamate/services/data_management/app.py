"""The application of the data_management service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI

from datamate.platform.http.service import create_service_app
from datamate.services.data_management.datasets.router import router as datasets
from datamate.services.data_management.deps import DataManagementResources
from datamate.services.data_management.files.router import router as files
from datamate.services.data_management.lineage.router import router as lineage
from datamate.services.data_management.statistics.router import router as statistics
from datamate.services.data_management.sweep import Sweep
from datamate.services.data_management.tags.router import router as tags
from datamate.services.data_management.uploads.router import router as uploads
from datamate.services.data_management.versions.router import router as versions

NAME: Final = "data_management"


def create_app(resources: DataManagementResources) -> FastAPI:
    """Return the data_management service; while it serves, it also sweeps.

    Args:
        resources: Open for as long as the application serves; the caller closes them.
    """

    @asynccontextmanager
    async def sweeping() -> AsyncIterator[None]:
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(Sweep(resources).run(stop))
            try:
                yield
            finally:
                stop.set()

    return create_service_app(
        NAME,
        resources,
        [datasets, files, versions, lineage, uploads, tags, statistics],
        title="DataMate: datasets, files and versions",
        lifespan=sweeping,
        needed={"objects": resources.store.check},
    )
