"""Which local files are uploaded, and under which paths."""

import os

import pytest
from blake3 import blake3

from datamate.sdk.local_files import LocalFileError, find_local_files, hash_file


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in/sub").mkdir(parents=True)
    (tmp_path / "in/b.txt").write_text("b")
    (tmp_path / "in/sub/a.txt").write_text("aa")
    return tmp_path / "in"


def test_paths_are_relative_to_folder_when_folder_is_given(folder):
    files = find_local_files([folder])
    assert [(file.path, file.size_bytes) for file in files] == [("b.txt", 1), ("sub/a.txt", 2)]


def test_name_is_kept_when_file_is_given(folder):
    assert [file.path for file in find_local_files([folder / "sub/a.txt"], into="/raw/")] == ["raw/a.txt"]


def test_paths_are_composed_when_names_are_decomposed(tmp_path):
    (tmp_path / "u\u0308.txt").write_text("x")
    assert [file.path for file in find_local_files([tmp_path])] == ["\u00fc.txt"]


def test_links_to_files_are_followed_and_to_folders_not_when_walked(folder, tmp_path):
    (folder / "link.txt").symlink_to(folder / "b.txt")
    (folder / "loop").symlink_to(tmp_path)
    (folder / "broken").symlink_to(tmp_path / "nowhere")
    assert [file.path for file in find_local_files([folder])] == ["b.txt", "link.txt", "sub/a.txt"]


def test_pipes_are_passed_over_when_walked(folder):
    os.mkfifo(folder / "pipe")
    assert [file.path for file in find_local_files([folder])] == ["b.txt", "sub/a.txt"]


def test_both_files_are_named_when_paths_collide(folder):
    with pytest.raises(LocalFileError, match=r"would both be 'b\.txt'"):
        find_local_files([folder, folder / "b.txt"])


def test_way_out_is_named_when_there_is_no_file(tmp_path):
    with pytest.raises(LocalFileError, match="There is no file in"):
        find_local_files([tmp_path])
    with pytest.raises(LocalFileError, match="No such file"):
        find_local_files([tmp_path / "nowhere"])
    with pytest.raises(LocalFileError):
        find_local_files([])


def test_file_is_named_when_its_name_is_not_unicode(tmp_path):
    os.close(os.open(os.fsencode(tmp_path) + b"/caf\xe9.txt", os.O_CREAT | os.O_WRONLY))
    with pytest.raises(LocalFileError, match="not valid Unicode") as caught:
        find_local_files([tmp_path])
    assert caught.value.errors[0].field.endswith(".txt")


@pytest.mark.parametrize("size", [0, 10, (1 << 20) + 3])
def test_hash_is_blake3_when_file_has_any_size(tmp_path, size):
    content = os.urandom(size)
    (tmp_path / "x").write_bytes(content)
    assert hash_file(tmp_path / "x") == blake3(content).hexdigest()
