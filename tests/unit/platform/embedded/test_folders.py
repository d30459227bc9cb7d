"""Private folders: refused when another user could have prepared them, short enough for a socket."""

import os
import stat
from pathlib import Path

import pytest

from datamate.platform.embedded.account import EngineAccount
from datamate.platform.embedded.errors import EngineFolderError
from datamate.platform.embedded.folders import (
    MAX_SOCKET_PATH_BYTES,
    private_folder,
    reachable,
    socket_folder,
)

STRANGER = EngineAccount(60_999, 60_999)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")


def test_folder_is_closed_to_others_when_it_is_made(tmp_path):
    folder = private_folder(tmp_path / "a", None)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert private_folder(folder, None) == folder


def test_folder_is_refused_when_others_may_enter_it(tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    folder.chmod(0o755)
    with pytest.raises(EngineFolderError, match="mode 0755"):
        private_folder(folder, None)


def test_folder_is_refused_when_it_is_a_link(tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(EngineFolderError, match="must be a folder of user id"):
        private_folder(tmp_path / "link", None)


@needs_root
def test_folder_is_refused_when_another_user_made_it_first(tmp_path):
    folder = private_folder(tmp_path / "a", STRANGER)
    assert folder.stat().st_uid == STRANGER.uid
    with pytest.raises(EngineFolderError, match="owned by 60999"):
        private_folder(folder, None)


def test_sockets_are_inside_home_when_the_path_is_short(tmp_path, monkeypatch):
    home = Path(os.path.relpath(tmp_path))
    monkeypatch.setattr("datamate.platform.embedded.folders.MAX_SOCKET_PATH_BYTES", 1000)
    (tmp_path / "run").mkdir()
    assert socket_folder(home, "redis", None, socket_name="redis.sock") == home / "run/redis"


def test_sockets_move_to_a_short_folder_when_home_is_deep(tmp_path):
    home = tmp_path / ("d" * 120)
    folder = socket_folder(home, "redis", None, socket_name="redis.sock")
    try:
        assert len(os.fsencode(folder / "redis.sock")) <= MAX_SOCKET_PATH_BYTES
        assert folder != socket_folder(tmp_path / ("e" * 120), "redis", None, socket_name="redis.sock")
    finally:
        for path in (folder, socket_folder(tmp_path / ("e" * 120), "redis", None, socket_name="redis.sock")):
            path.rmdir()


@needs_root
def test_path_is_out_of_reach_when_a_parent_is_closed(tmp_path):
    open_folder = tmp_path / "open"
    open_folder.mkdir(mode=0o711)
    assert not reachable(open_folder / "file", STRANGER)  # pytest's own folders are closed
    assert reachable(open_folder / "file", None)
    assert reachable(Path("/usr/bin/env"), STRANGER)
