"""The same service over a bucket: what its users see does not depend on where the bytes are."""

from collections.abc import Iterator
from random import Random

import pytest
from blake3 import blake3

from datamate.storage import open_location
from factories.datasets import ROOT
from factories.seaweedfs import fresh_location, running_seaweedfs


@pytest.fixture(scope="module")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as endpoint:
        yield endpoint


@pytest.fixture
async def store(s3_endpoint):
    opened = open_location(fresh_location(s3_endpoint))
    yield opened
    await opened.close()


async def test_files_small_and_large_are_stored_once_read_back_and_published(calls, worker, dataset, store):
    large = Random(1).randbytes(12_000_000)
    version = await calls.upload(dataset, {"small": b"x", "large": large, "again": large})
    assert version["file_count"] == 3
    assert len([info async for info in store.list("blobs/")]) == 2
    assert [info async for info in store.list("staging/")] == []
    file = next(file for file in await calls.files(dataset) if file["path"] == "large")
    target = f"{ROOT}/datasets/{dataset}/files/{file['id']}/content"
    assert (await calls("GET", target)).body == large
    assert (await calls("GET", target, range="bytes=5000000-5000009")).body == large[5_000_000:5_000_010]
    await store.put("staging/runs/1/out", large[:-1])
    body = {
        "source_run_id": "1",
        "files": [
            {
                "path": "out",
                "object_key": "staging/runs/1/out",
                "size_bytes": len(large) - 1,
                "hash": blake3(large[:-1]).hexdigest(),
            }
        ],
    }
    assert (await worker("POST", f"{ROOT}/datasets/{dataset}/versions", body)).status == 201
    assert await calls.content(dataset, (await calls.files(dataset))[0]["id"]) == large[:-1]


async def test_the_service_is_ready_only_when_its_objects_can_be_reached(calls, resources):
    assert (await calls("GET", "/health/ready")).status == 200
    object.__setattr__(resources.store, "_client", None)
    answer = await calls("GET", "/health/ready")
    assert (answer.status, answer.fields) == (503, ["objects"])
