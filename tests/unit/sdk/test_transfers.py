"""Uploads and downloads when things go wrong, against a service of the test's own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from blake3 import blake3

from datamate.clients.data_management import Download
from datamate.contracts.data_management.files import File
from datamate.core.errors import ConflictError, InvalidInputError, UnavailableError
from datamate.sdk import transfer
from datamate.sdk.download import ContentDamagedError, DownloadPlan, download, place_below
from datamate.sdk.local_files import LocalFileError, find_local_files
from datamate.sdk.transfer import TransferProgress, for_each
from datamate.sdk.upload import UploadPlan, upload
from factories.upload_service import UploadService

CONTENT = bytes(range(256)) * 1_000


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(transfer, "_FIRST_PAUSE_SECONDS", 0.0)


class ContentService:
    """Serves one content, with faults in the order given: bytes after which the connection breaks."""

    def __init__(self, *breaks_after: int, content: bytes = CONTENT):
        self._breaks = list(breaks_after)
        self._content = content
        self.starts: list[int] = []

    @asynccontextmanager
    async def open_content(self, _dataset_id, _file_id, *, version, start=0, etag=None) -> AsyncIterator[Download]:
        self.starts.append(start)
        breaks_after = self._breaks.pop(0) if self._breaks else None
        rest = self._content[start:]

        class Response:
            async def chunks(self) -> AsyncIterator[bytes]:
                for place in range(0, len(rest), 10_000):
                    if breaks_after is not None and place >= breaks_after:
                        raise UnavailableError("broken")
                    yield rest[place : place + 10_000]

        yield Download(len(rest), '"tag"', start > 0, Response())


def wanted(content: bytes = CONTENT) -> File:
    return File(
        id="f",
        path="a.bin",
        size_bytes=len(content),
        hash=blake3(content).hexdigest(),
        media_type="x/y",
        created_at=datetime.now(UTC),
        version=1,
    )


async def fetch(service: ContentService, target: Path, *, file: File | None = None) -> list[TransferProgress]:
    states: list[TransferProgress] = []
    plan = DownloadPlan("d", 1, [(file or wanted(), target)], 2)
    await download(service, plan, states.append)
    return states


async def test_download_goes_on_where_it_broke_when_connection_is_lost(tmp_path):
    service = ContentService(100_000, 50_000)
    states = await fetch(service, tmp_path / "sub/a.bin")
    assert service.starts == [0, 100_000, 150_000]
    assert (tmp_path / "sub/a.bin").read_bytes() == CONTENT
    assert (states[-1].bytes_done, states[-1].files_done) == (len(CONTENT), 1)


async def test_existing_file_stays_when_download_fails(tmp_path):
    target = tmp_path / "a.bin"
    target.write_text("before")
    with pytest.raises(UnavailableError):
        await fetch(ContentService(0, 0, 0, 0, 0), target)
    assert target.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


async def test_damage_is_found_when_content_differs(tmp_path):
    damaged = b"\0" * len(CONTENT)
    service = ContentService(content=damaged)
    with pytest.raises(ContentDamagedError):
        await fetch(service, tmp_path / "a.bin")
    assert service.starts == [0] * transfer.ATTEMPTS_PER_FILE
    assert list(tmp_path.iterdir()) == []


async def test_empty_file_is_made_when_content_is_empty(tmp_path):
    await fetch(ContentService(content=b""), tmp_path / "a.bin", file=wanted(b""))
    assert (tmp_path / "a.bin").read_bytes() == b""


async def test_file_has_usual_rights_when_downloaded(tmp_path):
    await fetch(ContentService(), tmp_path / "a.bin")
    (tmp_path / "other").write_text("")
    assert (tmp_path / "a.bin").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize("path", ["../x", "/x", "a/../x", "", "a\\..\\x", "a\0b"])
def test_path_is_refused_when_it_leads_out(tmp_path, path):
    with pytest.raises(LocalFileError, match="leads out"):
        place_below(tmp_path, path)


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "in").mkdir()
    for name in ("a", "b", "c"):
        (tmp_path / "in" / name).write_text(name * 10)
    return tmp_path / "in"


def plan(folder: Path) -> UploadPlan:
    return UploadPlan("d", find_local_files([folder]), "m", "merge", 2)


async def test_upload_is_committed_once_when_all_files_arrived(folder):
    service = UploadService()
    states: list[TransferProgress] = []
    result = await upload(service, plan(folder), states.append)
    assert service.received == {"a": b"a" * 10, "b": b"b" * 10, "c": b"c" * 10}
    assert (result.sent, result.bytes_sent, service.commits, service.aborts) == (3, 30, 1, 0)
    assert (states[-1].bytes_done, states[-1].files_done) == (30, 3)


async def test_file_is_sent_again_when_connection_is_lost(folder):
    service = UploadService(faults={"b": [UnavailableError("gone"), UnavailableError("gone")]})
    states: list[TransferProgress] = []
    await upload(service, plan(folder), states.append)
    assert service.received["b"] == b"b" * 10
    assert states[-1].bytes_done == 30


async def test_upload_is_aborted_when_a_file_is_refused(folder):
    service = UploadService(faults={"b": [InvalidInputError("no")]})
    with pytest.raises(InvalidInputError):
        await upload(service, plan(folder), None)
    assert (service.commits, service.aborts) == (0, 1)


async def test_upload_is_aborted_when_commit_conflicts(folder):
    service = UploadService(commit_fault=ConflictError("changed"))
    with pytest.raises(ConflictError):
        await upload(service, plan(folder), None)
    assert service.aborts == 1


async def test_nothing_is_sent_when_everything_is_there(folder):
    known = {name: blake3(name.encode() * 10).hexdigest() for name in ("a", "b", "c")}
    service = UploadService(known=known)
    result = await upload(service, plan(folder), None)
    assert (result.sent, result.skipped, result.version.version) == (0, 3, 7)
    assert (service.received, service.commits, service.aborts) == ({}, 0, 0)


async def test_error_names_file_when_it_shrinks(folder):
    found = plan(folder)
    (folder / "b").write_text("b")
    with pytest.raises(LocalFileError, match="shorter"):
        await upload(UploadService(), found, None)


async def test_rest_is_cancelled_when_one_fails():
    ended: list[str] = []

    async def work(name: str) -> None:
        if name == "bad":
            raise ConflictError
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(name)

    with pytest.raises(ConflictError):
        await for_each(["slow", "bad", "never"], work, parallel=2)
    assert ended == ["slow"]
