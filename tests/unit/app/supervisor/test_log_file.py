"""Log files stay small and private, and a full disk does not stop the platform."""

import os
import stat

import pytest

from datamate.app.supervisor.log_file import LogFile


@pytest.fixture
def log(tmp_path):
    log = LogFile(tmp_path / "a.log", max_bytes=100)
    yield log
    log.close()


def test_file_is_readable_by_its_owner_only_when_made(log):
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


def test_two_older_files_are_kept_when_the_log_is_full(log, tmp_path):
    # Three lines of 48 bytes fill a file.
    for number in range(41):
        log.write(f"line {number:02} {'x' * 40}\n".encode())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.log", "a.log.1", "a.log.2"]
    assert "line 38" in (tmp_path / "a.log.1").read_text()
    assert all(path.stat().st_size < 200 for path in tmp_path.iterdir())


def test_lines_stay_whole_when_the_log_is_full(log, tmp_path):
    log.write(b"x" * 150)
    log.write(b" end\n")
    assert (tmp_path / "a.log.1").read_text() == "x" * 150 + " end\n"


def test_log_goes_on_when_it_existed(tmp_path):
    for text in (b"one\n", b"two\n"):
        log = LogFile(tmp_path / "b.log", max_bytes=100)
        log.write(text)
        log.close()
    assert (tmp_path / "b.log").read_text() == "one\ntwo\n"


def test_tail_is_the_last_lines_when_there_are_more(log):
    log.write(b"1\n2\n3\n")
    assert log.tail(2) == ["2", "3"]
    assert log.tail(9) == ["1", "2", "3"]


def test_tail_begins_at_the_mark_when_there_is_one(log):
    log.write(b"old\n")
    log.mark()
    assert log.tail(9) == []
    log.write(b"new\n")
    assert log.tail(9) == ["new"]
    log.write(b"x" * 100 + b"\n")
    log.write(b"after\n")
    assert log.tail(9) == ["after"]


def test_nothing_is_raised_when_the_disk_is_full():
    log = LogFile.__new__(LogFile)
    log._descriptor, log._max_bytes = os.open("/dev/full", os.O_WRONLY), 100
    log.write(b"lost\n")
    log.close()
