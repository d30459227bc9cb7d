import io
import logging
from collections.abc import Iterator

import orjson
import pytest
import structlog
from pydantic import SecretStr

from datamate.config.log import LogSettings
from datamate.platform.telemetry import configure_logging, request_scope
from datamate.platform.telemetry.access_log import AccessLine, write_access_line
from datamate.platform.telemetry.context import read_context


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def lines() -> io.StringIO:
    stream = io.StringIO()
    configure_logging(LogSettings(), service="tests", stream=stream)
    return stream


def test_line_is_one_json_object_with_the_request_when_logged_inside_one(lines):
    with request_scope(read_context()) as context:
        structlog.get_logger("x").info("something", number=1)
    line = orjson.loads(lines.getvalue())
    assert (line["event"], line["number"], line["level"], line["service"]) == ("something", 1, "info", "tests")
    assert (line["trace_id"], line["request_id"]) == (context.trace_id, context.request_id)


def test_standard_library_writes_the_same_format_when_it_logs(lines):
    logging.getLogger("sqlalchemy").warning("pool %s", "full")
    line = orjson.loads(lines.getvalue())
    assert (line["event"], line["level"], line["service"]) == ("pool full", "warning", "tests")


@pytest.mark.parametrize(
    "fields",
    [
        {"authorization": "s3cret"},
        {"password": "s3cret"},
        {"new_password": b"s3cret"},
        {"jwt_secret": "s3cret"},
        {"access_token": "s3cret"},
        {"API-Key": "s3cret"},
        {"headers": {"Authorization": "s3cret"}},
        {"items": [{"token": "s3cret"}]},
        {"reason": "sent Authorization: Bearer s3cret"},
        {"url": "postgresql://user:s3cret@host/db"},
        {"value": SecretStr("s3cret")},
    ],
)
def test_secret_is_blanked_when_it_stands_in_a_field(lines, fields):
    structlog.get_logger().info("x", **fields)
    assert "s3cret" not in lines.getvalue()


def test_secret_is_blanked_when_it_stands_in_a_traceback(lines):
    try:
        int("redis://:s3cret@host")
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("x").exception("failed with Bearer s3cret")
    assert "ValueError" in lines.getvalue()
    assert "s3cret" not in lines.getvalue()


def test_numbers_stay_when_their_name_sounds_secret(lines):
    structlog.get_logger().info("x", tokens=7, token_count=None)
    assert orjson.loads(lines.getvalue())["tokens"] == 7


def test_level_is_respected_when_it_is_set():
    stream = io.StringIO()
    configure_logging(LogSettings(level="warning", format="console"), service="tests", stream=stream)
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    assert "quiet" not in stream.getvalue()
    assert "loud" in stream.getvalue()


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_access_line_is_written_in_the_format_of_all_lines_when_a_request_ends(log_format):
    stream = io.StringIO()
    configure_logging(LogSettings(format=log_format), service="tests", stream=stream)
    context = read_context()
    write_access_line(AccessLine("GET", "/a\n", "/{x}", 200, 0.0015, "7"), context)
    written = stream.getvalue()
    assert context.trace_id in written
    assert written.count("\n") == 1
    if log_format == "json":
        line = orjson.loads(written)
        assert (line["event"], line["path"], line["milliseconds"], line["service"]) == ("request", "/a\n", 1.5, "tests")


def test_access_line_is_left_out_when_only_warnings_are_written():
    stream = io.StringIO()
    configure_logging(LogSettings(level="warning"), service="tests", stream=stream)
    write_access_line(AccessLine("GET", "/a", "/{x}", 200, 0.1, None), read_context())
    assert stream.getvalue() == ""
