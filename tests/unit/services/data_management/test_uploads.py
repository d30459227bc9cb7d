"""Uploads over HTTP: many files, any order, side by side, one version."""

import asyncio
import base64
import hashlib
import resource
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from blake3 import blake3
from sqlalchemy import text

from datamate.core.clock import utc_now
from datamate.services.data_management.sweep import Sweep
from factories.calls import principal
from factories.datasets import FORM, ROOT, DatasetCalls, form, paths

UPLOADS = f"{ROOT}/uploads"
MIB = 1 << 20


async def zeros(mib: int, *, breaks: bool = False) -> AsyncIterator[bytes]:
    block = bytes(MIB // 4)
    for _ in range(mib * 4):
        yield block
    if breaks:
        raise ConnectionResetError


async def everything_in(store) -> list[str]:
    return [info.key async for info in store.list()]


@pytest.fixture
async def upload(calls, dataset) -> str:
    opened = await calls("POST", UPLOADS, {"dataset_id": dataset, "message": "import"})
    assert opened.status == 201
    assert (opened.json["status"], opened.json["base_version"], opened.json["version"]) == ("open", 0, None)
    return opened.json["id"]


async def test_files_appear_together_when_the_upload_is_committed(calls, dataset, upload):
    await asyncio.gather(*(calls.put_into(upload, f"f/{number:02}", b"%d" % number) for number in range(20)))
    assert (await calls.dataset(dataset))["version"] == 0
    assert paths(await calls.pages(f"{UPLOADS}/{upload}/files", limit=7)) == [f"f/{n:02}" for n in range(20)]
    committed = await calls("POST", f"{UPLOADS}/{upload}/commit", {})
    assert (committed.json["version"], committed.json["added"], committed.json["message"]) == (1, 20, "import")
    assert len(await calls.files(dataset)) == 20
    shown = (await calls("GET", f"{UPLOADS}/{upload}")).json
    assert (shown["status"], shown["version"]) == ("committed", 1)


async def test_a_form_brings_many_files_at_once(calls, dataset, upload):
    files = [(f"f/{number:03}", b"%d" % (number % 50)) for number in range(150)]
    answer = await calls("POST", f"{UPLOADS}/{upload}/files", form(*files, ("big", bytes(3 * MIB))), content_type=FORM)
    assert answer.status == 200
    assert paths(answer.json["items"]) == [name for name, _ in files] + ["big"]
    await calls("POST", f"{UPLOADS}/{upload}/commit", {})
    listed = {file["path"]: file["hash"] for file in await calls.files(dataset)}
    assert listed == {name: blake3(content).hexdigest() for name, content in files} | {
        "big": blake3(bytes(3 * MIB)).hexdigest()
    }


async def test_the_last_content_counts_when_a_path_is_sent_twice(calls, dataset, upload):
    await calls.put_into(upload, "a", b"first")
    await calls.put_into(upload, "a", b"second")
    body = form(("b", b"1"), ("b", b"2"))
    assert (await calls("POST", f"{UPLOADS}/{upload}/files", body, content_type=FORM)).status == 200
    assert (await calls("POST", f"{UPLOADS}/{upload}/commit", {})).json["file_count"] == 2
    assert [file["size_bytes"] for file in await calls.files(dataset)] == [6, 1]


async def test_a_commit_can_be_repeated(calls, dataset, upload):
    await calls.put_into(upload, "a", b"x")
    answers = await asyncio.gather(*(calls("POST", f"{UPLOADS}/{upload}/commit", {}) for _ in range(4)))
    assert {answer.status for answer in answers} == {200}
    assert {answer.json["version"] for answer in answers} == {1}
    assert (await calls.dataset(dataset))["version"] == 1


async def test_replace_leaves_only_what_was_uploaded(calls, dataset):
    await calls.upload(dataset, {"a": b"1", "b": b"2", "c": b"3"})
    version = await calls.upload(dataset, {"b": b"2", "c": b"changed", "d": b"4"}, mode="replace", message="second")
    assert (version["added"], version["changed"], version["removed"], version["message"]) == (1, 1, 1, "second")
    assert paths(await calls.files(dataset)) == ["b", "c", "d"]
    assert paths(await calls.files(dataset, version=1)) == ["a", "b", "c"]


@pytest.mark.parametrize("mode", ["merge", "replace"])
async def test_a_commit_is_refused_when_a_path_would_be_a_file_and_a_folder(calls, dataset, mode):
    await calls.put(dataset, "a", b"file")
    opened = await calls("POST", UPLOADS, {"dataset_id": dataset})
    for path in ("b/c", "b", "z"):
        await calls.put_into(opened.json["id"], path, b"x")
    refused = await calls("POST", f"{UPLOADS}/{opened.json['id']}/commit", {"mode": mode})
    assert (refused.status, refused.json["code"]) == (409, "path_clash")
    assert "'b/c'" in refused.json["detail"]
    assert paths(await calls.files(dataset)) == ["a"]
    version = await calls.upload(dataset, {"a/b": b"x"}, mode="replace")
    assert (version["added"], version["removed"], version["file_count"]) == (1, 1, 1)


async def test_a_commit_conflicts_when_a_path_changed_meanwhile(calls, dataset, upload):
    await calls.put_into(upload, "a", b"mine")
    await calls.put(dataset, "b", b"unrelated")
    await calls.put(dataset, "a", b"theirs")
    refused = await calls("POST", f"{UPLOADS}/{upload}/commit", {})
    assert (refused.status, refused.json["code"]) == (409, "path_changed")
    assert (await calls("GET", f"{UPLOADS}/{upload}")).json["status"] == "open"
    await calls.put_into(upload, "a", b"theirs")
    assert (await calls("POST", f"{UPLOADS}/{upload}/commit", {})).json["version"] == 2
    replacing = await calls("POST", UPLOADS, {"dataset_id": dataset, "base_version": 1})
    await calls.put_into(replacing.json["id"], "z", b"z")
    refused = await calls("POST", f"{UPLOADS}/{replacing.json['id']}/commit", {"mode": "replace"})
    assert (refused.status, refused.json["code"]) == (409, "path_changed")


async def test_an_upload_is_refused_when_it_makes_no_sense(calls, dataset, upload):
    nothing = await calls("POST", f"{UPLOADS}/{upload}/commit", {})
    assert (nothing.status, nothing.json["code"]) == (422, "nothing_to_commit")
    future = await calls("POST", UPLOADS, {"dataset_id": dataset, "base_version": 5})
    assert (future.status, future.fields) == (422, ["base_version"])
    assert (await calls("POST", UPLOADS, {"dataset_id": "none"})).json["code"] == "dataset_not_found"
    await calls.put_into(upload, "a", b"x")
    both = await calls("POST", f"{UPLOADS}/{upload}/commit", {"removed_paths": ["b", "a"]})
    assert (both.status, both.fields) == (422, ["removed_paths.1"])
    absent = await calls("POST", f"{UPLOADS}/{upload}/commit", {"removed_paths": ["b"]})
    assert absent.json["code"] == "path_not_found"


async def test_an_aborted_upload_takes_nothing_any_more(calls, upload):
    await calls.put_into(upload, "a", b"x")
    assert (await calls("DELETE", f"{UPLOADS}/{upload}")).status == 204
    assert (await calls("DELETE", f"{UPLOADS}/{upload}")).status == 204
    for answer in (await calls.put_into(upload, "b", b"y"), await calls("POST", f"{UPLOADS}/{upload}/commit", {})):
        assert (answer.status, answer.json["code"]) == (409, "upload_closed")
    assert (await calls("GET", f"{UPLOADS}/{upload}/files")).json["items"] == []


async def test_a_committed_upload_cannot_be_aborted(calls, upload):
    await calls.put_into(upload, "a", b"x")
    await calls("POST", f"{UPLOADS}/{upload}/commit", {})
    assert (await calls("DELETE", f"{UPLOADS}/{upload}")).json["code"] == "upload_closed"


async def test_uploads_are_private_to_their_owner_and_administrators(app, calls, upload):
    other = DatasetCalls(app, principal("EDITOR", 8))
    for answer in (
        await other("GET", f"{UPLOADS}/{upload}"),
        await other("GET", f"{UPLOADS}/{upload}/files"),
        await other.put_into(upload, "a", b"x"),
        await other("POST", f"{UPLOADS}/{upload}/commit", {}),
        await other("DELETE", f"{UPLOADS}/{upload}"),
    ):
        assert (answer.status, answer.json["code"]) == (404, "upload_not_found")
    assert (await DatasetCalls(app, principal("ADMIN", 1))("GET", f"{UPLOADS}/{upload}")).status == 200


async def test_the_sweep_throws_expired_uploads_away(calls, resources, upload):
    await calls.put_into(upload, "a", b"x")
    async with resources.database.transaction() as session:
        await session.execute(text("UPDATE data_management.uploads SET expires_at = now() - interval '1 second'"))
    assert (await calls.put_into(upload, "b", b"y")).json["code"] == "upload_closed"
    await Sweep(resources).sweep()
    assert (await calls("GET", f"{UPLOADS}/{upload}")).json["status"] == "expired"
    async with resources.database.reader() as session:
        assert await session.scalar(text("SELECT count(*) FROM data_management.changes")) == 0


async def test_the_sweep_removes_what_was_staged_and_forgotten(resources, store, calls, dataset):
    await calls.put(dataset, "kept", b"x")
    await store.put("staging/uploads/1", b"forgotten")
    sweep = Sweep(resources)
    await sweep.sweep()
    assert await store.exists("staging/uploads/1")
    assert await sweep.discard_staged(older_than=timedelta(seconds=-5)) == 1
    assert len(await everything_in(store)) == 1


async def test_the_sweep_folds_totals(calls, resources, dataset):
    for number in range(5):
        await calls.put(dataset, f"{number}", b"12")
    await Sweep(resources).sweep()
    assert (await calls("GET", f"{ROOT}/statistics")).json == {"dataset_count": 1, "file_count": 5, "size_bytes": 10}
    async with resources.database.reader() as session:
        assert await session.scalar(text("SELECT count(*) FROM data_management.statistics_deltas")) == 1


async def test_memory_stays_flat_when_a_file_is_large(calls, dataset, store):
    target = f"{ROOT}/datasets/{dataset}/files"
    assert (await calls.stream(target, {"path": "warm"}, zeros(8))).status == 200
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = await calls.stream(target, {"path": "large"}, zeros(128))
    assert answer.status == 200
    assert answer.json["file"]["size_bytes"] == 128 * MIB
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 32 * MIB


@pytest.mark.parametrize("mib", [0, 3])
async def test_nothing_is_left_when_a_body_breaks_off(calls, dataset, store, mib):
    with pytest.raises(ConnectionResetError):
        await calls.stream(f"{ROOT}/datasets/{dataset}/files", {"path": "a"}, zeros(mib, breaks=True))
    assert await everything_in(store) == []
    assert await store.discard_partial_writes(older_than_seconds=-1) == 0
    assert (await calls.dataset(dataset))["version"] == 0


@pytest.mark.parametrize("announced", [10, 3 * MIB - 1, 3 * MIB + 1])
async def test_nothing_is_left_when_the_size_is_not_the_announced_one(calls, dataset, store, announced):
    target = f"{ROOT}/datasets/{dataset}/files"
    answer = await calls.stream(target, {"path": "a"}, zeros(3), content_length=str(announced))
    assert (answer.status, answer.json["code"]) == (422, "size_mismatch")
    assert await everything_in(store) == []


def checksums(content: bytes) -> dict[str, str]:
    def encoded(name: str, algorithm: str) -> str:
        return f"{name}=:{base64.b64encode(hashlib.new(algorithm, content).digest()).decode()}:"

    return {
        "x_content_blake3": blake3(content).hexdigest(),
        "content_digest": f"{encoded('sha-256', 'sha256')}, {encoded('sha-512', 'sha512')}, md5=:AAAA:",
    }


@pytest.mark.parametrize("size", [5, 3 * MIB])
async def test_checksums_are_verified(calls, dataset, store, size):
    content = bytes(size)
    target = f"{ROOT}/datasets/{dataset}/files?path=a"
    for name, value in checksums(b"something else").items():
        refused = await calls("PUT", target, content, **{name: value})
        assert (refused.status, refused.json["code"]) == (422, "checksum_mismatch")
        assert refused.fields == [name.replace("_", "-")]
    assert await everything_in(store) == []
    assert (await calls("PUT", target, content, **checksums(content))).status == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [("x_content_blake3", "abc"), ("content_digest", "sha-256=abc"), ("content_digest", "sha-256=:a:")],
)
async def test_a_checksum_that_cannot_be_read_is_refused(calls, dataset, name, value):
    answer = await calls("PUT", f"{ROOT}/datasets/{dataset}/files?path=a", b"x", **{name: value})
    assert (answer.status, answer.fields) == (422, [name.replace("_", "-")])


async def test_a_file_is_refused_when_it_is_larger_than_one_may_be(app, calls, dataset, store, resources):
    storage = resources.settings.storage.model_copy(update={"max_upload_bytes": 2 * MIB})
    settings = resources.settings.model_copy(update={"storage": storage})
    object.__setattr__(resources, "settings", settings)
    answer = await calls.stream(f"{ROOT}/datasets/{dataset}/files", {"path": "a"}, zeros(3))
    assert (answer.status, answer.json["code"]) == (413, "too_large")
    assert await everything_in(store) == []


async def test_an_upload_says_when_it_expires(calls, dataset, upload):
    expires = (await calls("GET", f"{UPLOADS}/{upload}")).json["expires_at"]
    assert expires > utc_now().isoformat()
