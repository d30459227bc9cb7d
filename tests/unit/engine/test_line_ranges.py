import os

from hypothesis import given, settings
from hypothesis import strategies as st

from datamate.engine.files import append_file
from datamate.engine.line_ranges import LineRanges


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.binary(max_size=5).map(lambda line: line + b"\n"), st.booleans()), max_size=20))
def test_lines_left_out_are_missing_when_ranges_are_appended(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("ranges")
    (folder / "lines").write_bytes(b"".join(line for line, _ in lines))
    left_out = [row for row, (_, stays) in enumerate(lines) if not stays]
    ranges = LineRanges.without("base", [len(line) for line, _ in lines], left_out)
    ranges.write(folder / "ranges")
    assert LineRanges.read(folder / "ranges") == ranges
    target = os.open(folder / "out", os.O_WRONLY | os.O_CREAT)
    append_file(target, folder / "lines", ranges.ranges)
    os.close(target)
    expected = b"".join(line for line, stays in lines if stays)
    assert (folder / "out").read_bytes() == expected
    assert ranges.size_bytes == len(expected)
    assert len(ranges.ranges) <= len(left_out) + 1
