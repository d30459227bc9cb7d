import os

import pytest

from datamate.engine.errors import UnreadableInputError
from datamate.engine.formats.kinds import FileKind, kind_of
from datamate.engine.inputs import discover_inputs, input_identity, open_input


def test_files_are_found_by_name_when_a_folder_is_given(tmp_path):
    for name in ("b.jsonl", "sub/a.txt", ".hidden.jsonl", ".git/x.jsonl", "out.jsonl.datamate-run/rows/a.parquet"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    files = discover_inputs(str(tmp_path))
    assert [(file.name, file.kind) for file in files] == [("b.jsonl", FileKind.JSONL), ("sub/a.txt", FileKind.TEXT)]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("A.JSONL", FileKind.JSONL),
        ("a.ndjson.gz", FileKind.JSONL),
        ("a.json.zst", FileKind.JSONL),
        ("a.tsv.gz", FileKind.TSV),
        ("a.markdown", FileKind.MARKDOWN),
        ("a.htm", FileKind.HTML),
        ("a.parquet.gz", None),
        ("a.pdf", None),
        ("jsonl", None),
        (".jsonl", None),
    ],
)
def test_kind_is_told_by_the_suffix_when_it_is_known(name, kind):
    assert kind_of(name) is kind


def test_suffixes_are_told_when_a_file_is_of_no_known_kind(tmp_path):
    (tmp_path / "a.pdf").touch()
    with pytest.raises(UnreadableInputError, match=r"a\.pdf is of no kind .*\.jsonl, .*\.parquet"):
        discover_inputs(str(tmp_path))


def test_path_is_told_when_there_is_nothing(tmp_path):
    with pytest.raises(UnreadableInputError, match=r"nowhere\.jsonl cannot be read: No such file"):
        discover_inputs(str(tmp_path / "nowhere.jsonl"))
    with pytest.raises(UnreadableInputError, match="holds no file to read"):
        discover_inputs(str(tmp_path))


def test_parquet_beside_other_files_is_refused_when_a_folder_is_given(tmp_path):
    (tmp_path / "a.jsonl").touch()
    (tmp_path / "b.parquet").touch()
    with pytest.raises(UnreadableInputError, match="mixes Parquet"):
        discover_inputs(str(tmp_path))


def test_pipe_is_refused_when_it_looks_like_a_file(tmp_path):
    os.mkfifo(tmp_path / "a.jsonl")
    with pytest.raises(UnreadableInputError, match="no regular file"):
        discover_inputs(str(tmp_path / "a.jsonl"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_way_out_is_told_when_a_file_may_not_be_read(tmp_path):
    (tmp_path / "a.jsonl").touch(mode=0o000)
    with pytest.raises(UnreadableInputError, match=r"chmod \+r"):
        discover_inputs(str(tmp_path))


def test_identity_changes_when_a_file_does(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("one")
    before = input_identity(discover_inputs(str(path)))
    assert input_identity(discover_inputs(str(path))) == before
    os.utime(path, ns=(1, 1))
    assert input_identity(discover_inputs(str(path))) != before


def test_bytes_are_read_at_any_offset_when_a_file_is_open(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"0123456789")
    (file,) = discover_inputs(str(tmp_path / "a.txt"))
    with open_input(file) as reader:
        assert reader.size_bytes == 10
        assert reader.read_at(3, 4) == b"3456"
        assert reader.read_at(8, 100) == b"89"
        assert reader.read_at(50, 1) == b""


def test_file_is_named_when_it_vanishes_before_it_is_read(tmp_path):
    (tmp_path / "a.txt").touch()
    (file,) = discover_inputs(str(tmp_path / "a.txt"))
    (tmp_path / "a.txt").unlink()
    with pytest.raises(UnreadableInputError, match=r"a\.txt cannot be read"):
        open_input(file)
