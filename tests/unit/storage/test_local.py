"""What only a folder can get wrong: full disks, links, crashes in the middle."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from datamate.core.errors import ConfigurationError, InvalidInputError, NotFoundError, StorageFullError
from datamate.storage import StoreLocation, open_blocking_store, open_location
from datamate.storage.local_files import LocalFiles

MIB = 1 << 20
DIE_WHILE_WRITING = """
import os, signal, sys
from datamate.storage import StoreLocation, open_blocking_store

def body():
    yield bytes(1 << 20)
    os.kill(os.getpid(), signal.SIGKILL)

open_blocking_store(StoreLocation("file", sys.argv[1])).put("killed", body())
"""


@pytest.fixture
async def folder_store(file_location):
    opened = open_location(file_location)
    yield opened
    await opened.close()


def files_below(root: str) -> list[Path]:
    return [path for path in Path(root).rglob("*") if not path.is_dir()]


def folders_below(root: str) -> list[Path]:
    return [path for path in Path(root).rglob("*") if path.is_dir()]


def mount_small_disk(folder: Path) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    return os.geteuid() == 0 and subprocess.call(command, stderr=subprocess.DEVNULL) == 0


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def inode_of(root: str, name: str) -> int:
    return Path(root, name).stat().st_ino


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    if not mount_small_disk(folder):
        pytest.skip("mounting a small tmpfs needs root; two other tests report a full disk without one")
    yield str(folder)
    subprocess.check_call(["umount", folder])


@pytest.fixture
def disk_of_two_mib(monkeypatch):
    """Let the operating system report a full disk after 2 MiB, as a small disk would."""
    write, left = os.write, 2 * MIB

    def limited(descriptor: int, data: memoryview) -> int:
        nonlocal left
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return write(descriptor, data)
        if left == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = write(descriptor, data[:left])
        left -= written
        return written

    monkeypatch.setattr(os, "write", limited)


async def test_nothing_is_left_when_the_disk_is_full(folder_store, file_location, disk_of_two_mib):
    with pytest.raises(StorageFullError, match="Free some space"):
        await folder_store.put("a/big", bytes(3 * MIB))
    assert files_below(file_location.root) == []


def test_nothing_is_left_when_the_disk_fills_up_while_blocking(file_location, disk_of_two_mib):
    with pytest.raises(StorageFullError):
        open_blocking_store(file_location).put("big", [bytes(MIB)] * 3)
    assert files_below(file_location.root) == []


async def test_a_real_full_disk_is_reported(small_disk):
    small = open_location(StoreLocation("file", small_disk))
    await small.put("fits", bytes(MIB))
    with pytest.raises(StorageFullError):
        await small.put("big", bytes(8 * MIB))
    assert await small.read("fits") == bytes(MIB)
    assert len(files_below(small_disk)) == 1
    await small.close()


async def test_a_reader_outlives_the_store(file_location):
    store = open_location(file_location)
    await store.put("a", bytes(3 * MIB))
    stream = store.stream("a")
    await anext(stream)
    await store.close()
    await stream.aclose()


async def test_links_inside_the_folder_are_not_followed(folder_store, file_location, tmp_path):
    (tmp_path / "secret").write_text("outside")
    await folder_store.put("link", b"inside")
    link = file_location.local_path("link")
    link.unlink()
    link.symlink_to(tmp_path / "secret")
    with pytest.raises(NotFoundError):
        await folder_store.read("link")
    with pytest.raises(NotFoundError):
        await folder_store.head("link")
    assert [info async for info in folder_store.list()] == []


async def test_folders_are_not_objects(folder_store):
    await folder_store.put("a/b", b"x")
    with pytest.raises(NotFoundError):
        await folder_store.read("a")
    with pytest.raises(NotFoundError):
        await folder_store.head("a")
    for key in ("a", "a/b/c"):
        with pytest.raises(InvalidInputError, match="cannot be an object"):
            await folder_store.put(key, b"y")


async def test_objects_are_private_to_their_owner(folder_store, file_location):
    await folder_store.put("a/b", b"x")
    path = file_location.local_path("a/b")
    assert (mode_of(path), mode_of(path.parent)) == (0o600, 0o700)


async def test_copy_shares_the_bytes_and_falls_back_when_links_are_impossible(folder_store, file_location, monkeypatch):
    await folder_store.put("one", b"content")
    await folder_store.copy("one", "two")
    root = file_location.root
    assert inode_of(root, "one") == inode_of(root, "two")

    def refuse(*_args, **_kwargs):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    await folder_store.copy("one", "three")
    assert inode_of(root, "one") != inode_of(root, "three")
    assert await folder_store.read("three") == b"content"


async def test_empty_folders_go_with_their_last_object(folder_store, file_location):
    await folder_store.put("a/b/c", b"x")
    await folder_store.delete(["a/b/c"])
    assert [path.name for path in folders_below(file_location.root)] == [".partial"]


def test_killed_writers_leave_only_what_the_sweep_removes(file_location):
    root = file_location.root
    assert subprocess.run([sys.executable, "-c", DIE_WHILE_WRITING, root], check=False).returncode == -9
    files = LocalFiles(root)
    assert list(files.walk("")) == []
    assert files.discard_partial_writes(60) == 0
    assert files.discard_partial_writes(-1) == 1
    assert files_below(root) == []


async def test_check_refuses_when_the_folder_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("in the way")
    blocked = open_location(StoreLocation("file", str(tmp_path / "file" / "objects")))
    with pytest.raises(ConfigurationError, match="cannot be made"):
        await blocked.check()
    await blocked.close()
