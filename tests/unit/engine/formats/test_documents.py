import orjson
import pytest

from datamate.engine.errors import BadRowError
from datamate.engine.formats.documents import read_documents, text_of
from datamate.engine.formats.kinds import FileKind
from datamate.engine.inputs import discover_inputs


def test_each_file_is_a_row_with_its_name_when_documents_are_read(tmp_path):
    (tmp_path / "a.txt").write_text("first\nline")
    (tmp_path / "b.md").write_text("# Title")
    (tmp_path / "c.txt").write_bytes(b"caf\xe9")
    (tmp_path / "d.html").write_text("<p>Hi <b>you</b></p>")
    files = discover_inputs(str(tmp_path))
    (batch,) = read_documents(files, 0, 4, ["body"], text_column="body")
    assert [orjson.loads(line) for line in batch.rows.render(None, [])] == [
        {"body": "first\nline", "source": "a.txt"},
        {"body": "# Title", "source": "b.md"},
        {"body": "Hi you", "source": "d.html"},
    ]
    assert batch.ordinals.to_list() == [0, 1, 3]
    assert [(bad.ordinal, bad.code, bad.raw) for bad in batch.bad] == [(2, "invalid_utf8", b"caf\xe9")]


def test_text_is_the_visible_one_when_it_is_html():
    page = """<html><head><title>no</title><style>p {}</style></head><body>
      <p>One   line
      &amp; <i>more</i><br>next</p><script>no()</script>
      <pre>  kept\n\tas is</pre>
      <table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>
    </body></html>"""
    assert text_of(page.encode(), FileKind.HTML) == "One line & more\nnext\n  kept\n\tas is\n1 2\n3"


@pytest.mark.parametrize("page", [b"", b"<frameset></frameset>", b"<body></body>"])
def test_text_is_empty_when_a_page_shows_none(page):
    assert text_of(page, FileKind.HTML) == ""


def test_declared_encoding_is_used_when_html_has_one():
    assert text_of(b'<meta charset="iso-8859-1"><p>caf\xe9', FileKind.HTML) == "café"
    assert text_of('<meta charset="no-such"><p>café'.encode(), FileKind.HTML) == "café"
    assert text_of('<meta charset="hex"><p>café'.encode(), FileKind.HTML) == "café"
    with pytest.raises(BadRowError, match="is not utf-8"):
        text_of(b"<p>caf\xe9", FileKind.HTML)
