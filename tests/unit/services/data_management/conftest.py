"""The data_management service over a real PostgreSQL, a real Redis and a folder of objects."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from redis.asyncio import Redis

from datamate.config.root import Settings
from datamate.platform.cache import Cache
from datamate.platform.db import Database
from datamate.platform.security import InternalTokens
from datamate.services.data_management.app import create_app
from datamate.services.data_management.deps import DataManagementResources
from datamate.storage import ObjectStore, StoreLocation, open_location
from factories.calls import principal
from factories.datasets import DatasetCalls


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[ObjectStore]:
    opened = open_location(StoreLocation("file", str(tmp_path / "objects")))
    yield opened
    await opened.close()


@pytest.fixture
def resources(database: Database, redis: Redis, cache: Cache, store: ObjectStore) -> DataManagementResources:
    return DataManagementResources(
        settings=Settings(),
        database=database,
        redis=redis,
        cache=cache,
        internal_tokens=InternalTokens(SecretStr("i" * 32), 60),
        store=store,
    )


@pytest.fixture
def app(resources: DataManagementResources) -> FastAPI:
    return create_app(resources)


@pytest.fixture
def calls(app: FastAPI) -> DatasetCalls:
    """Calls as an editor."""
    return DatasetCalls(app)


@pytest.fixture
def worker(app: FastAPI) -> DatasetCalls:
    """Calls that a worker makes for the same editor."""
    return DatasetCalls(app, principal("EDITOR", 7), part="worker")


@pytest.fixture
async def dataset(calls: DatasetCalls) -> str:
    return await calls.create()
