"""The runtime service with a data_management service beside it, a task worker, and a folder of objects."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from datamate.clients.data_management import DataManagementClient
from datamate.config.root import Settings
from datamate.contracts.runtime.runs import Run
from datamate.platform.cache import Cache
from datamate.platform.db import Database
from datamate.platform.http.in_process import InProcessTransport
from datamate.platform.security import InternalTokens, Principal
from datamate.platform.tasks import TaskWorker, collect_tasks
from datamate.services.data_management.app import create_app as create_data_management
from datamate.services.data_management.deps import DataManagementResources
from datamate.services.runtime.app import create_app
from datamate.services.runtime.deps import RuntimeResources
from datamate.services.runtime.runs import tasks
from datamate.storage import ObjectStore, StoreLocation, open_location
from factories.calls import Caller, principal
from factories.datasets import DatasetCalls
from factories.events import eventually
from factories.tasks import QUICK

RECIPE = """
process:
  - clean_email_mapper:
  - text_length_filter:
      min_len: 10
  - document_deduplicator:
"""


@dataclass
class Platform:
    """Everything a run passes through, and calls of one editor."""

    datasets: DatasetCalls
    runs: Caller
    resources: RuntimeResources
    scratch: Path

    async def dataset(self, *lines: object, name: str = "notes") -> str:
        """Make a dataset of one file with these lines."""
        dataset = await self.datasets.create(name)
        text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
        await self.datasets.put(dataset, "notes.jsonl", text.encode("utf-8", "surrogateescape"))
        return dataset

    async def start(self, dataset: str, recipe: str = RECIPE, **fields: object) -> Run:
        answer = await self.runs("POST", "/runtime/runs", {"recipe": recipe, "dataset_id": dataset, **fields})
        assert answer.status == 201, answer.body
        return Run.model_validate(answer.json)

    async def run(self, run_id: str) -> Run:
        answer = await self.runs("GET", f"/runtime/runs/{run_id}")
        assert answer.status == 200, answer.body
        return Run.model_validate(answer.json)

    async def finished(self, run_id: str, *, within_seconds: float = 30.0) -> Run:
        async def has_ended() -> bool:
            return (await self.run(run_id)).finished_at is not None

        await eventually(has_ended, within_seconds=within_seconds)
        return await self.run(run_id)

    def worker(self) -> TaskWorker:
        return TaskWorker(self.resources.database, collect_tasks(tasks, self.resources), QUICK)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[ObjectStore]:
    opened = open_location(StoreLocation("file", str(tmp_path / "objects")))
    yield opened
    await opened.close()


@pytest.fixture
def platform(database: Database, redis: Redis, cache: Cache, store: ObjectStore, tmp_path: Path) -> Platform:
    return build_platform(database, redis, cache, store, tmp_path)


def build_platform(database: Database, redis: Redis, cache: Cache, store: ObjectStore, folder: Path) -> Platform:
    """Connect both services in process; the worker works on behalf of editors."""
    shared = {
        "database": database,
        "redis": redis,
        "cache": cache,
        "internal_tokens": InternalTokens(SecretStr("i" * 32), 60),
        "store": store,
    }
    scratch = folder / "scratch"
    settings = Settings()
    settings = settings.model_copy(update={"worker": QUICK.model_copy(update={"scratch": str(scratch)})})
    data_management = create_data_management(DataManagementResources(settings=settings, **shared))
    transport = InProcessTransport(data_management, "worker")

    async def principal_of(user_id: str) -> Principal:
        return principal("EDITOR", int(user_id))

    resources = RuntimeResources(
        settings=settings,
        data_management=lambda who: DataManagementClient(transport.as_principal(who)),
        principal_of=principal_of,
        **shared,
    )
    editor = principal("EDITOR", 7)
    return Platform(DatasetCalls(data_management), Caller(create_app(resources), editor), resources, scratch)


@pytest.fixture
async def working(platform: Platform) -> AsyncIterator[Platform]:
    """The platform with a task worker at work."""
    stop = asyncio.Event()
    work = asyncio.create_task(platform.worker().run(stop))
    yield platform
    stop.set()
    await work
