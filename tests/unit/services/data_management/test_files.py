"""Files over HTTP: every change makes a version, every version stays readable."""

import asyncio
import unicodedata

import pytest
from blake3 import blake3

from factories.datasets import FORM, ROOT, form, paths

DATASETS = f"{ROOT}/datasets"


async def test_a_file_is_listed_and_read_back_when_it_was_put(calls, dataset):
    uploaded = await calls.put(dataset, "folder/Über.txt", b"hello")
    file, version = uploaded["file"], uploaded["version"]
    assert (file["path"], file["size_bytes"], file["media_type"], file["version"]) == (
        "folder/Über.txt", 5, "text/plain", 1,
    )  # fmt: skip
    assert file["hash"] == blake3(b"hello").hexdigest()
    assert (version["version"], version["file_count"], version["size_bytes"], version["added"]) == (1, 1, 5, 1)
    assert await calls.files(dataset) == [file]
    assert (await calls("GET", f"{DATASETS}/{dataset}/files/{file['id']}")).json == file
    assert await calls.content(dataset, file["id"]) == b"hello"


async def test_old_versions_keep_what_newer_ones_changed(calls, dataset):
    first = (await calls.put(dataset, "a", b"one"))["file"]
    second = (await calls.put(dataset, "a", b"two!"))["file"]
    assert first["id"] == second["id"]
    assert await calls.content(dataset, first["id"], version=1) == b"one"
    assert await calls.content(dataset, first["id"]) == b"two!"
    assert (await calls("DELETE", f"{DATASETS}/{dataset}/files/{first['id']}")).json["removed"] == 1
    assert await calls.files(dataset) == []
    assert await calls.files(dataset, version=2) == [second]
    assert await calls.content(dataset, first["id"], version=2) == b"two!"
    gone = await calls("GET", f"{DATASETS}/{dataset}/files/{first['id']}")
    assert (gone.status, gone.json["code"]) == (404, "file_not_found")


async def test_nothing_changes_when_the_same_content_is_put_again(calls, dataset):
    first = await calls.put(dataset, "a", b"same")
    assert await calls.put(dataset, "a", b"same") == first
    assert (await calls.dataset(dataset))["version"] == 1


async def test_equal_content_is_stored_once(calls, dataset, store):
    big = bytes(3 << 20)
    for path in ("a", "b", "c"):
        await calls.put(dataset, path, big)
        await calls.put(dataset, f"small-{path}", b"tiny")
    kept = [info async for info in store.list()]
    assert sorted(info.size_bytes for info in kept) == [4, 3 << 20]
    assert all(info.key.startswith("blobs/") for info in kept)
    assert kept[0].key.split("/")[1] in {blake3(big).hexdigest(), blake3(b"tiny").hexdigest()}


async def test_files_are_listed_in_the_order_of_their_bytes_page_by_page(calls, dataset):
    names = ["B", "a", "a-b", "a.txt", "a/b", "ab", "ä", "é", "日本/語", "😀"]
    names.remove("a/b")
    names += ["a0/b", "z/1", "z/10", "z/2"]
    await calls.upload(dataset, {name: name.encode() for name in names})
    listed = await calls.files(dataset, limit=3)
    assert paths(listed) == sorted(names, key=str.encode)
    page = (await calls("GET", f"{DATASETS}/{dataset}/files?limit=3")).json
    assert (len(page["items"]), page["total"]) == (3, len(names))


async def test_a_prefix_selects_exactly_what_begins_so(calls, dataset):
    names = ["%_", "a", "z/1", "z/10", "z/2", "\ud7ffx", "\U0010ffffx", "é"]
    await calls.upload(dataset, dict.fromkeys(names, b"x"))
    for prefix in (
        "z/",
        "z/1",
        "z",
        "%",
        "\ud7ff",
        "\U0010ffff",
        "é",
        unicodedata.normalize("NFD", "é"),
        "nothing",
        "",
    ):
        expected = sorted(name for name in names if name.startswith(unicodedata.normalize("NFC", prefix)))
        assert paths(await calls.files(dataset, prefix=prefix, limit=2)) == expected, prefix


async def test_a_path_that_could_harm_is_refused_before_its_content_is_read(calls, dataset):
    answer = await calls.try_put(dataset, "../../etc/passwd", b"x")
    assert (answer.status, answer.json["code"], answer.fields) == (422, "invalid_path", ["path"])
    assert "'../../etc/passwd'" in answer.json["detail"]
    assert (await calls.dataset(dataset))["version"] == 0


async def test_nul_in_a_path_is_refused(calls, dataset):
    assert (await calls.try_put(dataset, "a\x00b", b"x")).fields == ["path"]


async def test_a_path_that_only_looks_odd_is_kept_as_it_is(calls, dataset):
    names = ["..a", "a..b", ".hidden", "con", "a b", " a", "%2e%2e/x", "A", "a", "'; DROP TABLE x; --", "?#&=+"]
    for name in names:
        assert (await calls.put(dataset, name, b"x"))["file"]["path"] == name
    assert paths(await calls.files(dataset)) == sorted(names)


async def test_one_name_in_two_unicode_forms_is_one_file(calls, dataset):
    await calls.put(dataset, unicodedata.normalize("NFD", "Café/ñ.txt"), b"1")
    await calls.put(dataset, unicodedata.normalize("NFC", "Café/ñ.txt"), b"2")
    assert paths(await calls.files(dataset)) == [unicodedata.normalize("NFC", "Café/ñ.txt")]


@pytest.mark.parametrize(("present", "added"), [("a", "a/b"), ("a/b", "a"), ("a/b/c/d", "a/b"), ("a/b", "a/b/c/d")])
async def test_a_path_is_never_a_file_and_a_folder(calls, dataset, present, added):
    await calls.put(dataset, present, b"x")
    refused = await calls.try_put(dataset, added, b"y")
    assert (refused.status, refused.json["code"]) == (409, "path_clash")
    assert paths(await calls.files(dataset)) == [present]
    await calls.put(dataset, f"{present}0", b"y")
    await calls.put(dataset, f"{present}-x", b"y")


async def test_a_file_becomes_a_folder_when_it_is_removed_in_the_same_version(calls, dataset):
    await calls.put(dataset, "a", b"x")
    version = await calls.upload(dataset, {"a/b": b"y"}, removed_paths=["a"])
    assert (version["added"], version["removed"]) == (1, 1)
    assert paths(await calls.files(dataset)) == ["a/b"]


async def test_a_rename_keeps_the_id_and_the_content(calls, dataset):
    file = (await calls.put(dataset, "a.txt", b"x"))["file"]
    await calls.put(dataset, "taken", b"y")
    target = f"{DATASETS}/{dataset}/files/{file['id']}"
    renamed = (await calls("PATCH", target, {"path": "b/c.csv"})).json
    assert (renamed["file"]["id"], renamed["file"]["path"], renamed["file"]["hash"]) == (
        file["id"],
        "b/c.csv",
        file["hash"],
    )
    assert (renamed["version"]["added"], renamed["version"]["removed"], renamed["version"]["file_count"]) == (1, 1, 2)
    assert renamed["file"]["media_type"] == "text/csv"
    assert await calls.content(dataset, file["id"]) == b"x"
    assert (await calls("GET", f"{target}?version=2")).json["path"] == "a.txt"
    assert (await calls("PATCH", target, {"path": "taken"})).status == 409
    assert (await calls("PATCH", target, {"path": "b/c.csv"})).json["version"]["version"] == 3
    assert (await calls("PATCH", target, {"path": "../x"})).fields == ["path"]


async def test_many_files_are_deleted_in_one_version(calls, dataset):
    await calls.upload(dataset, dict.fromkeys("abcd", b"x"))
    deleted = await calls("POST", f"{DATASETS}/{dataset}/files/delete", {"paths": ["a", "c", "a"]})
    assert (deleted.json["version"], deleted.json["removed"]) == (2, 2)
    assert paths(await calls.files(dataset)) == ["b", "d"]
    refused = await calls("POST", f"{DATASETS}/{dataset}/files/delete", {"paths": ["b", "a"]})
    assert (refused.status, refused.json["code"]) == (404, "path_not_found")
    assert "'a'" in refused.json["detail"]
    assert paths(await calls.files(dataset)) == ["b", "d"]


async def test_the_files_of_a_form_make_one_version(calls, dataset):
    body = form(("a.txt", b"one"), ("folder/b.jsonl", b"two\r\n--X"), ("empty", b""))
    answer = await calls("POST", f"{DATASETS}/{dataset}/files?message=batch", body, content_type=FORM)
    assert answer.status == 201
    assert answer.json["version"]["version"] == 1
    assert answer.json["version"]["message"] == "batch"
    assert [(file["path"], file["size_bytes"], file["media_type"]) for file in answer.json["files"]] == [
        ("a.txt", 3, "text/plain"),
        ("folder/b.jsonl", 8, "application/jsonl"),
        ("empty", 0, "application/octet-stream"),
    ]
    assert await calls.content(dataset, answer.json["files"][1]["id"]) == b"two\r\n--X"


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"", FORM, "invalid_multipart"),
        (form(("a", b"x"))[:-8], FORM, "invalid_multipart"),
        (b"nonsense", FORM, "invalid_multipart"),
        (form(("a", b"x")), "multipart/form-data", "invalid_multipart"),
        (form(("a", b"x")), "text/plain", "invalid_multipart"),
        (b'--XX\r\nContent-Disposition: form-data; name="note"\r\n\r\nhi\r\n--XX--\r\n', FORM, "invalid_multipart"),
        (form(("a", b"x"), ("a", b"y")), FORM, "invalid_path"),
        (form(("../a", b"x")), FORM, "invalid_path"),
        (form(("ok", b"x"), ("", b"y")), FORM, "invalid_path"),
        (b"--XX--\r\n", FORM, "nothing_to_commit"),
    ],
)
async def test_a_form_is_refused_whole_when_something_in_it_is_wrong(calls, dataset, body, content_type, code):
    answer = await calls("POST", f"{DATASETS}/{dataset}/files", body, content_type=content_type)
    assert (answer.status, answer.json["code"]) == (422, code)
    assert (await calls.dataset(dataset))["version"] == 0


async def test_a_put_is_refused_when_the_path_changed_since_its_base(calls, dataset):
    await calls.put(dataset, "a", b"1")
    await calls.put(dataset, "b", b"1")
    refused = await calls.try_put(dataset, "b", b"2", base_version=1)
    assert (refused.status, refused.json["code"]) == (409, "path_changed")
    assert "'b'" in refused.json["detail"]
    await calls.put(dataset, "a", b"2", base_version=1)
    await calls.put(dataset, "a", b"2", base_version=1)
    assert (await calls.dataset(dataset))["version"] == 3
    assert (await calls.try_put(dataset, "a", b"3", base_version=9)).fields == ["base_version"]


async def test_all_win_when_many_write_different_paths_at_once(calls, dataset):
    await asyncio.gather(*(calls.put(dataset, f"f{n}", b"x") for n in range(12)))
    found = await calls.dataset(dataset)
    assert (found["version"], found["file_count"], found["size_bytes"]) == (12, 12, 12)
    assert [version["file_count"] for version in await calls.pages(f"{DATASETS}/{dataset}/versions", limit=5)] == [
        *range(12, 0, -1)
    ]


async def test_one_wins_when_many_write_one_path_from_the_same_base(calls, dataset):
    await calls.put(dataset, "a", b"0")
    answers = await asyncio.gather(*(calls.try_put(dataset, "a", b"%d" % n, base_version=1) for n in range(1, 9)))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 7
    winner = next(answer.json for answer in answers if answer.status == 200)
    assert (await calls.files(dataset))[0]["hash"] == winner["file"]["hash"]


async def test_every_write_is_a_version_when_nobody_names_a_base(calls, dataset):
    await asyncio.gather(*(calls.put(dataset, "a", b"%d" % n) for n in range(8)))
    found = await calls.dataset(dataset)
    assert (found["version"], found["file_count"], found["size_bytes"]) == (8, 1, 1)
