"""The typed client of the data_management service over every way to reach it."""

from collections.abc import AsyncIterator

import pytest
from blake3 import blake3

from datamate.clients.data_management import DataManagementClient
from datamate.clients.data_management.files import content_claims
from datamate.contracts.data_management.datasets import CreateDatasetRequest, UpdateDatasetRequest
from datamate.contracts.data_management.files import DeleteFilesRequest, RenameFileRequest
from datamate.contracts.data_management.tags import PutTagRequest
from datamate.contracts.data_management.uploads import CommitUploadRequest, CreateUploadRequest, UploadStatus
from datamate.core.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    RangeNotSatisfiableError,
)

MISSING = "01900000-0000-7000-8000-000000000000"
LARGE_BYTES = 5_000_000


@pytest.fixture
async def client(connect) -> DataManagementClient:
    return DataManagementClient(await connect("data_management"))


@pytest.fixture
async def dataset(client: DataManagementClient) -> str:
    return (await client.create_dataset(CreateDatasetRequest(name="books", tags=["a"]))).id


async def pieces(total_bytes: int) -> AsyncIterator[bytes]:
    for start in range(0, total_bytes, 65_536):
        yield bytes([start // 65_536 % 251]) * min(65_536, total_bytes - start)


async def content(client, dataset: str, file_id: str, **options) -> tuple[bool, bytes]:
    async with client.open_content(dataset, file_id, **options) as download:
        body = b"".join([chunk async for chunk in download.chunks()])
        assert download.size_bytes == len(body)
        return download.is_part, body


async def test_dataset_is_made_changed_and_deleted_when_asked(client, dataset):
    assert (await client.get_dataset(dataset)).version == 0
    changed = await client.update_dataset(dataset, UpdateDatasetRequest(name="more books", tags=["b", "c"]))
    assert (changed.name, changed.tags) == ("more books", ["b", "c"])
    assert [item.id async for item in client.iterate_datasets(tag="b", page_size=1)] == [dataset]
    await client.delete_dataset(dataset)
    with pytest.raises(NotFoundError):
        await client.get_dataset(dataset)


async def test_conflict_is_raised_when_name_is_taken(client, dataset):
    with pytest.raises(ConflictError):
        await client.create_dataset(CreateDatasetRequest(name="books"))


async def test_datasets_are_all_listed_when_there_are_several_pages(client):
    made = [(await client.create_dataset(CreateDatasetRequest(name=f"set {n}"))).id for n in range(5)]
    assert [item.id async for item in client.iterate_datasets(page_size=2)] == made[::-1]


async def test_content_comes_back_when_a_large_file_was_streamed(client, dataset):
    expected = b"".join([piece async for piece in pieces(LARGE_BYTES)])
    uploaded = await client.put_file(
        dataset, "a/ü b.bin", pieces(LARGE_BYTES), claims=content_claims(blake3=blake3(expected).hexdigest())
    )
    assert (uploaded.file.path, uploaded.file.size_bytes, uploaded.version.version) == ("a/ü b.bin", LARGE_BYTES, 1)
    assert await content(client, dataset, uploaded.file.id) == (False, expected)


async def test_rest_comes_back_when_download_resumes(client, dataset):
    file = (await client.put_file(dataset, "a.txt", b"0123456789")).file
    async with client.open_content(dataset, file.id) as download:
        etag = download.etag
    assert await content(client, dataset, file.id, start=4, etag=etag) == (True, b"456789")
    assert await content(client, dataset, file.id, start=4, etag='"other"') == (False, b"0123456789")
    with pytest.raises(RangeNotSatisfiableError):
        await content(client, dataset, file.id, start=11)


async def test_upload_is_refused_when_content_is_not_what_was_claimed(client, dataset):
    with pytest.raises(InvalidInputError):
        await client.put_file(dataset, "a.txt", b"abc", claims=content_claims(blake3="0" * 64))
    assert (await client.get_dataset(dataset)).version == 0


async def test_upload_becomes_one_version_when_committed(client, dataset):
    upload = await client.create_upload(CreateUploadRequest(dataset_id=dataset, message="first"))
    for name in ("b.txt", "a.txt", "c/d.txt"):
        await client.put_upload_file(upload.id, name, name.encode())
    assert [file.path async for file in client.iterate_received(upload.id, page_size=2)] == [
        "a.txt",
        "b.txt",
        "c/d.txt",
    ]
    version = await client.commit_upload(upload.id, CommitUploadRequest())
    assert await client.commit_upload(upload.id, CommitUploadRequest()) == version
    assert (version.version, version.added, version.message) == (1, 3, "first")
    assert (await client.get_upload(upload.id)).status is UploadStatus.COMMITTED
    assert [file.path async for file in client.iterate_files(dataset, page_size=1)] == ["a.txt", "b.txt", "c/d.txt"]
    assert [file.path async for file in client.iterate_files(dataset, prefix="c/")] == ["c/d.txt"]


async def test_nothing_is_visible_when_upload_is_aborted(client, dataset):
    upload = await client.create_upload(CreateUploadRequest(dataset_id=dataset))
    await client.put_upload_file(upload.id, "a.txt", b"a")
    await client.abort_upload(upload.id)
    assert [file async for file in client.iterate_files(dataset)] == []


async def test_files_are_renamed_and_deleted_when_asked(client, dataset):
    file = (await client.put_file(dataset, "a.txt", b"a")).file
    renamed = await client.rename_file(dataset, file.id, RenameFileRequest(path="b.txt"))
    assert (renamed.file.id, renamed.file.path) == (file.id, "b.txt")
    await client.put_file(dataset, "c.txt", b"c")
    deleted = await client.delete_files(dataset, DeleteFilesRequest(paths=["b.txt"]))
    assert (deleted.version, deleted.removed) == (4, 1)
    assert [item.path async for item in client.iterate_files(dataset)] == ["c.txt"]
    assert [item.path async for item in client.iterate_files(dataset, version=1)] == ["a.txt"]
    assert (await client.get_file(dataset, file.id, version=1)).path == "a.txt"


async def test_versions_are_compared_when_there_are_several(client, dataset):
    await client.put_file(dataset, "a.txt", b"1")
    await client.put_file(dataset, "a.txt", b"2")
    await client.put_file(dataset, "b.txt", b"3")
    assert [version.version async for version in client.iterate_versions(dataset, page_size=2)] == [3, 2, 1]
    changes = [(change.path, change.change) async for change in client.iterate_diff(dataset, 3, base=1, page_size=1)]
    assert changes == [("a.txt", "changed"), ("b.txt", "added")]
    assert (await client.get_version(dataset, 2)).changed == 1
    assert (await client.get_lineage(dataset, 3)).edges == []
    with pytest.raises(NotFoundError):
        await client.get_version(dataset, 4)


async def test_tags_are_managed_when_asked(client, dataset):
    await client.put_tag(PutTagRequest(name="spare", color="#112233"))
    assert {tag.name: tag.dataset_count async for tag in client.iterate_tags(page_size=1)} == {"a": 1, "spare": 0}
    await client.delete_tag("spare")
    assert [tag.name for tag in (await client.list_tags()).items] == ["a"]


async def test_totals_are_given_when_asked(client, dataset):
    await client.put_file(dataset, "a.txt", b"12345")
    assert (await client.get_statistics()).dataset_count >= 0


async def test_manifest_is_refused_when_caller_is_no_part_of_datamate(client, dataset):
    await client.put_file(dataset, "a.txt", b"1")
    with pytest.raises((PermissionDeniedError, NotFoundError)):
        await client.read_manifest(dataset, 1)


async def test_dataset_is_missing_when_there_is_none(client):
    for call in (client.get_dataset(MISSING), client.delete_dataset(MISSING), client.list_files(MISSING)):
        with pytest.raises(NotFoundError):
            await call
