"""Versions over HTTP: lists, hashes, diffs and manifests."""

from blake3 import blake3
from sqlalchemy import text

from datamate.services.data_management.versions import commit
from factories.datasets import ROOT, paths


def expected_hash(files: dict[str, bytes]) -> str:
    """The identity of a version as its definition says, computed from scratch."""
    hasher = blake3()
    for name in sorted(path.encode() for path in files):
        content = files[name.decode()]
        hasher.update(len(name).to_bytes(4, "big") + name + len(content).to_bytes(8, "big"))
        hasher.update(blake3(content).digest())
    return hasher.hexdigest()


async def test_the_hash_depends_on_the_content_alone(calls, dataset):
    files = {"a": b"1", "b/ü": b"", "z": bytes(5000), "B": b"2"}
    first = await calls.upload(dataset, files)
    assert first["hash"] == expected_hash(files)
    other = await calls.create("other")
    for path, content in reversed(files.items()):
        await calls.put(other, path, b"draft")
        await calls.put(other, path, content)
    assert (await calls.version(other, 8))["hash"] == first["hash"]
    assert (await calls.version(other, 7))["hash"] != first["hash"]
    emptied = await calls("POST", f"{ROOT}/datasets/{dataset}/files/delete", {"paths": list(files)})
    assert emptied.json["hash"] == expected_hash({})


async def test_the_hash_of_a_large_version_is_computed_when_it_is_read(calls, dataset, monkeypatch):
    monkeypatch.setattr(commit, "HASHED_AT_COMMIT_FILES", 2)
    files = {"a": b"1", "b": b"2", "c": b"3"}
    assert (await calls.upload(dataset, files))["hash"] is None
    await calls.put(dataset, "a", b"later")
    assert [one["hash"] for one in await calls.pages(f"{ROOT}/datasets/{dataset}/versions")] == [None, None]
    assert (await calls.version(dataset, 1))["hash"] == expected_hash(files)
    assert (await calls.version(dataset, 2))["hash"] == expected_hash(files | {"a": b"later"})
    listed = await calls.pages(f"{ROOT}/datasets/{dataset}/versions")
    assert [one["hash"] for one in listed] == [expected_hash(files | {"a": b"later"}), expected_hash(files)]


async def test_versions_are_listed_newest_first(calls, dataset):
    for number in range(5):
        await calls.put(dataset, "a", b"%d" % number, message=f"m{number}")
    listed = await calls.pages(f"{ROOT}/datasets/{dataset}/versions", limit=2)
    assert [(one["version"], one["message"]) for one in listed] == [(n + 1, f"m{n}") for n in range(4, -1, -1)]
    assert listed[0] == await calls.version(dataset, 5)
    missing = await calls("GET", f"{ROOT}/datasets/{dataset}/versions/6")
    assert (missing.status, missing.json["code"]) == (404, "version_not_found")
    for number in ("0", "x", str(2**63)):
        assert (await calls("GET", f"{ROOT}/datasets/{dataset}/versions/{number}")).status == 422


async def test_a_diff_shows_what_two_versions_have_not_in_common(calls, dataset):
    await calls.upload(dataset, {"same": b"1", "changed": b"1", "removed": b"1", "back": b"1"})
    await calls.upload(dataset, {"changed": b"22", "back": b"2", "brief": b"1"}, removed_paths=["removed"])
    await calls.upload(dataset, {"back": b"1", "added": b"333"}, removed_paths=["brief"])
    target = f"{ROOT}/datasets/{dataset}/versions"

    async def diff(version: int, **query: int) -> list[tuple[str, str, int | None]]:
        found = await calls.pages(f"{target}/{version}/diff", limit=2, **query)
        assert all((one["hash"] is None) == (one["change"] == "removed") for one in found)
        return [(one["path"], one["change"], one["size_bytes"]) for one in found]

    assert await diff(3, base=1) == [("added", "added", 3), ("changed", "changed", 2), ("removed", "removed", None)]
    assert await diff(3) == [("added", "added", 3), ("back", "changed", 1), ("brief", "removed", None)]
    assert await diff(1) == await diff(1, base=0)
    assert [path for path, change, _ in await diff(1) if change == "added"] == ["back", "changed", "removed", "same"]
    for base in (3, 4):
        answer = await calls("GET", f"{target}/3/diff?base={base}")
        assert (answer.status, answer.fields) == (422, ["base"])
    assert (await calls("GET", f"{target}/4/diff")).json["code"] == "version_not_found"


async def test_a_manifest_tells_where_the_bytes_are(calls, worker, dataset, store):
    files = {f"f{number}": b"%d" % number for number in range(5)}
    await calls.upload(dataset, files)
    await calls.put(dataset, "f0", b"later")
    found = await worker.pages(f"{ROOT}/datasets/{dataset}/versions/1/manifest", limit=2)
    assert paths(found) == sorted(files)
    for file in found:
        assert await store.read(file["object_key"]) == files[file["path"]]
        assert file["hash"] == blake3(files[file["path"]]).hexdigest()
        assert file["object_key"].startswith(f"blobs/{file['hash']}/")


async def test_a_version_is_made_whole_or_not_at_all(calls, dataset, database):
    await calls.put(dataset, "a", b"1")
    await calls.try_put(dataset, "a/b", b"clash")
    async with database.reader() as session:
        for table, rows in (("entries", 1), ("dataset_versions", 1), ("changes", 0)):
            assert await session.scalar(text(f"SELECT count(*) FROM data_management.{table}")) == rows


async def test_the_planner_learns_of_a_large_commit_at_once(calls, dataset, database, monkeypatch):
    monkeypatch.setattr(commit, "_LARGE_COMMIT_FILES", 20)
    await calls.upload(dataset, {f"{number}": bytes(7777) for number in range(30)})
    query = "SELECT CAST(most_common_vals AS text) FROM pg_stats WHERE tablename = 'entries' AND attname = 'size_bytes'"
    async with database.reader() as session:
        assert "7777" in await session.scalar(text(query))
