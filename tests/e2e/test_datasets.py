"""Datasets from an empty name to a downloaded folder."""

import os
import secrets
from pathlib import Path

import pytest

from datamate.core.errors import ConflictError, InvalidInputError, NotFoundError
from datamate.sdk.local_files import LocalFileError
from datamate.sdk.transfer import TransferProgress
from e2e.http_calls import call, get_token

LARGE_BYTES = 24 << 20


@pytest.fixture
def dataset(admin):
    made = admin.datasets.create(f"books {secrets.token_hex(4)}", tags=["e2e"])
    yield made
    admin.datasets.delete(made)


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = tmp_path / "in"
    (folder / "sub/deeper").mkdir(parents=True)
    (folder / "a.txt").write_text("eins")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "sub/ünï cödé & co.txt").write_text("zwei")
    (folder / "sub/deeper/b.bin").write_bytes(os.urandom(300_000))
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_folder_comes_back_unchanged_when_uploaded_and_downloaded(admin, dataset, folder, tmp_path):
    states: list[TransferProgress] = []
    sent = admin.datasets.upload(dataset, folder, message="first", on_progress=states.append)
    assert (sent.sent, sent.skipped, sent.version.version, sent.version.added) == (4, 0, 1, 4)
    assert states[-1].bytes_done == states[-1].bytes_total == 300_008
    assert states[-1].files_done == states[-1].files_total == 4
    fetched = admin.datasets.download(dataset, tmp_path / "out")
    assert (fetched.fetched, fetched.bytes_fetched) == (4, 300_008)
    assert tree(tmp_path / "out") == tree(folder)


def test_nothing_moves_when_everything_is_there(admin, dataset, folder, tmp_path):
    admin.datasets.upload(dataset, folder)
    again = admin.datasets.upload(dataset, folder)
    assert (again.sent, again.skipped, again.version.version) == (0, 4, 1)
    admin.datasets.download(dataset, tmp_path / "out")
    again = admin.datasets.download(dataset, tmp_path / "out")
    assert (again.fetched, again.skipped) == (0, 4)


def test_only_changes_are_sent_when_one_file_differs(admin, dataset, folder, tmp_path):
    admin.datasets.upload(dataset, folder)
    (folder / "a.txt").write_text("drei")
    second = admin.datasets.upload(dataset, folder)
    assert (second.sent, second.version.version, second.version.changed) == (1, 2, 1)
    changes = [(change.path, change.change) for change in admin.datasets.diff(dataset, 2)]
    assert changes == [("a.txt", "changed")]
    admin.datasets.download(dataset, tmp_path / "old", version=1)
    assert (tmp_path / "old/a.txt").read_text() == "eins"


def test_versions_are_kept_when_files_are_removed(admin, dataset, folder):
    admin.datasets.upload(dataset, folder)
    admin.datasets.delete_files(dataset, ["a.txt"])
    assert "a.txt" not in [file.path for file in admin.datasets.files(dataset)]
    assert "a.txt" in [file.path for file in admin.datasets.files(dataset, version=1)]
    assert [version.version for version in admin.datasets.versions(dataset)] == [2, 1]
    now = admin.datasets.get(dataset)
    assert (now.version, now.file_count, now.size_bytes) == (2, 3, 300_004)


def test_dataset_holds_these_files_alone_when_replaced(admin, dataset, folder):
    admin.datasets.upload(dataset, folder)
    replaced = admin.datasets.upload(dataset, folder / "a.txt", into="new", mode="replace")
    assert (replaced.version.version, replaced.version.removed) == (2, 4)
    assert [file.path for file in admin.datasets.files(dataset)] == ["new/a.txt"]


def test_large_file_is_streamed_when_uploaded(admin, dataset, tmp_path):
    large = tmp_path / "large.bin"
    large.write_bytes(os.urandom(LARGE_BYTES))
    admin.datasets.upload(dataset, large)
    admin.datasets.download_file(dataset, "large.bin", tmp_path / "back.bin")
    assert (tmp_path / "back.bin").read_bytes() == large.read_bytes()


def test_part_is_served_when_range_is_asked(site, admin, dataset, folder):
    admin.datasets.upload(dataset, folder)
    token = get_token(site, site.username, site.password)
    [file] = admin.datasets.files(dataset, prefix="sub/deeper/")
    path = f"/api/v1/data-management/datasets/{dataset.id}/files/{file.id}/content"
    content = (folder / "sub/deeper/b.bin").read_bytes()
    whole = call(site, "GET", path, token=token)
    assert (whole.status, whole.body, whole.headers["accept-ranges"]) == (200, content, "bytes")
    part = call(site, "GET", path, token=token, Range="bytes=1000-1999")
    assert (part.status, part.body) == (206, content[1000:2000])
    assert part.headers["content-range"] == "bytes 1000-1999/300000"
    last = call(site, "GET", path, token=token, Range="bytes=-7")
    assert (last.status, last.body) == (206, content[-7:])
    outside = call(site, "GET", path, token=token, Range="bytes=300000-")
    outside.problem(416)
    assert outside.headers["content-range"] == "bytes */300000"
    assert call(site, "GET", path, token=token, If_None_Match=whole.headers["etag"]).status == 304


def test_list_has_every_dataset_once_when_paged(site, admin):
    made = [admin.datasets.create(f"paged {secrets.token_hex(4)}", tags=["paged"]) for _ in range(5)]
    token = get_token(site, site.username, site.password)
    seen, cursor = [], ""
    while True:
        page = call(site, "GET", f"/api/v1/data-management/datasets?tag=paged&limit=2{cursor}", token=token).json
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [dataset.id for dataset in made[::-1]]
    assert [item.id for item in admin.datasets.list(tag="paged")] == seen
    for dataset in made:
        admin.datasets.delete(dataset)


def test_dataset_is_found_by_name_when_asked(admin, dataset):
    assert admin.datasets.get(dataset.name).id == dataset.id
    with pytest.raises(NotFoundError, match="Did you mean"):
        admin.datasets.get(dataset.name + "x")


def test_name_is_refused_when_taken(admin, dataset):
    with pytest.raises(ConflictError, match=dataset.name):
        admin.datasets.create(dataset.name)


def test_fields_are_named_when_input_is_wrong(site, admin):
    token = get_token(site, site.username, site.password)
    body = {"name": "", "colour": "red", "type": "poem"}
    problem = call(site, "POST", "/api/v1/data-management/datasets", body, token=token).problem(422)
    assert {error["field"] for error in problem["errors"]} >= {"name", "colour", "type"}
    with pytest.raises(InvalidInputError):
        admin.datasets.create("")


def test_path_is_refused_when_it_leads_out(site, dataset):
    token = get_token(site, site.username, site.password)
    for path in ("../x", "/etc/passwd", "a/../../b", "a%00b", ""):
        target = f"/api/v1/data-management/datasets/{dataset.id}/files?path={path}"
        assert call(site, "PUT", target, b"x", token=token).problem(422)["errors"]


def test_error_is_plain_when_local_file_is_missing(admin, dataset, tmp_path):
    with pytest.raises(LocalFileError, match="nothing-here"):
        admin.datasets.upload(dataset, tmp_path / "nothing-here")
    with pytest.raises(InvalidInputError, match="no file yet"):
        admin.datasets.download(dataset, tmp_path / "out")
