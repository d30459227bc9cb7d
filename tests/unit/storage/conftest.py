"""The two backends of the object store: a temporary folder, and a bucket of a real SeaweedFS."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from datamate.storage import ObjectStore, StoreLocation, open_location
from factories.seaweedfs import fresh_location, running_seaweedfs


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as endpoint:
        yield endpoint


@pytest.fixture
def file_location(tmp_path: Path) -> StoreLocation:
    return StoreLocation("file", str(tmp_path / "objects"))


@pytest.fixture
def s3_location(s3_endpoint: str) -> StoreLocation:
    return fresh_location(s3_endpoint)


@pytest.fixture(params=["file", "s3"])
def location(request: pytest.FixtureRequest) -> StoreLocation:
    found = request.getfixturevalue(f"{request.param}_location")
    assert isinstance(found, StoreLocation)
    return found


@pytest.fixture
async def store(location: StoreLocation) -> AsyncIterator[ObjectStore]:
    opened = open_location(location)
    yield opened
    await opened.close()
