"""DATAMATE_HOME has one owner at a time and never opens to others."""

import os
import stat
import subprocess
import sys

import pytest

from datamate.app.supervisor.errors import HomeFolderError, HomeInUseError
from datamate.app.supervisor.home import Home


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "deep" / "home")
    yield home
    home.release()


def test_folders_are_made_private_when_home_is_new(home):
    home.acquire()
    assert home.is_new
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (home.secrets, home.logs)}
    assert modes == {"secrets": 0o700, "logs": 0o700}
    assert not stat.S_IMODE(home.path.stat().st_mode) & 0o066


def test_second_start_is_refused_with_the_process_id_when_home_is_held(home):
    home.acquire()
    with pytest.raises(HomeInUseError, match=rf"already runs on .*process id {os.getpid()}.*DATAMATE_HOME"):
        Home(home.path).acquire()
    assert Home(home.path).holder == os.getpid()


def test_home_is_free_again_when_its_holder_was_killed(home):
    script = f"""
import os, pathlib
from datamate.app.supervisor.home import Home
Home(pathlib.Path({str(home.path)!r})).acquire()
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    assert home.holder is None
    home.acquire()


def test_parents_keep_their_permissions_when_home_is_made(tmp_path):
    parent = tmp_path / "parent"
    parent.mkdir(mode=0o700)
    home = Home(parent / "home")
    home.acquire()
    home.release()
    assert stat.S_IMODE(parent.stat().st_mode) == 0o700


def test_error_names_the_file_when_home_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeFolderError, match=r"DATAMATE_HOME .*file cannot be used"):
        Home(tmp_path / "file").acquire()


def test_home_is_not_new_when_a_start_completed(home):
    home.acquire()
    home.mark_installed()
    assert not Home(home.path).is_new
