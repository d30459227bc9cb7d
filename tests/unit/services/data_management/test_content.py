"""Downloads over HTTP: whole, in part, only when new, and harmless in a browser."""

import asyncio
from random import Random

import pytest
from structlog.testing import capture_logs

from datamate.clients.transport import TransportRequest
from datamate.core.errors import UnavailableError
from datamate.platform.http.in_process import InProcessTransport
from factories.calls import principal
from factories.datasets import ROOT

CONTENT = Random(1).randbytes(4_000_000)


@pytest.fixture
async def target(calls, dataset) -> str:
    file = (await calls.put(dataset, "folder/Übung 1.html", CONTENT))["file"]
    return f"{ROOT}/datasets/{dataset}/files/{file['id']}/content"


async def test_the_whole_is_sent_with_headers_that_make_it_harmless(calls, target):
    answer = await calls("GET", target)
    assert (answer.status, answer.body == CONTENT) == (200, True)
    assert answer.headers["content-length"] == str(len(CONTENT))
    assert answer.headers["content-type"] == "text/html"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"_bung 1.html\"; filename*=UTF-8''%C3%9Cbung%201.html"
    )


@pytest.mark.parametrize(
    ("field", "start", "end"),
    [("bytes=0-0", 0, 1), ("bytes=1000003-2500000", 1_000_003, 2_500_001), ("bytes=-7", -7, None)],
)
async def test_a_part_is_sent_when_a_range_asks_for_it(calls, target, field, start, end):
    answer = await calls("GET", target, range=field)
    assert answer.status == 206
    assert answer.body == CONTENT[start:end]
    first = start % len(CONTENT)
    assert answer.headers["content-range"] == f"bytes {first}-{first + len(answer.body) - 1}/{len(CONTENT)}"
    assert answer.headers["content-length"] == str(len(answer.body))


async def test_a_range_outside_the_file_is_refused(calls, target):
    answer = await calls("GET", target, range=f"bytes={len(CONTENT)}-")
    assert (answer.status, answer.json["code"]) == (416, "range_not_satisfiable")
    assert answer.headers["content-range"] == f"bytes */{len(CONTENT)}"


async def test_nothing_is_sent_again_when_the_client_has_it(calls, dataset, target):
    first = await calls("GET", target)
    etag, modified = first.headers["etag"], first.headers["last-modified"]
    for headers in ({"if_none_match": etag}, {"if_modified_since": modified}):
        answer = await calls("GET", target, **headers)
        assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", etag)
    assert (await calls("GET", target, range="bytes=0-1", if_range=etag)).status == 206
    assert (await calls("GET", target, if_match='"other"')).status == 412
    await calls.put(dataset, "folder/Übung 1.html", b"new")
    assert (await calls("GET", target, if_none_match=etag)).body == b"new"
    assert (await calls("GET", target, range="bytes=0-1", if_range=etag)).status == 200
    assert (await calls("GET", f"{target}?version=1", if_none_match=etag)).status == 304


async def test_head_tells_the_same_without_the_content(calls, target):
    whole, head = await calls("GET", target), await calls("HEAD", target)
    assert head.status == 200
    assert head.body == b""
    assert head.headers["content-length"] == str(len(CONTENT))
    assert {name: head.headers[name] for name in ("etag", "content-type")} == {
        name: whole.headers[name] for name in ("etag", "content-type")
    }
    part = await calls("HEAD", target, range="bytes=0-9")
    assert (part.status, part.headers["content-length"]) == (206, "10")


async def test_an_empty_file_is_sent(calls, dataset):
    file = (await calls.put(dataset, "empty", b""))["file"]
    answer = await calls("GET", f"{ROOT}/datasets/{dataset}/files/{file['id']}/content")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "0")


async def test_lost_bytes_are_an_error_and_no_short_file(calls, dataset, store):
    content = bytes(1_100_000)
    file = (await calls.put(dataset, "a", content))["file"]
    target = f"{ROOT}/datasets/{dataset}/files/{file['id']}/content"
    keys = [info.key async for info in store.list("blobs/")]
    await store.put(keys[0], content[:-1])
    with capture_logs() as logs, pytest.raises(UnavailableError):
        await calls("GET", target)
    assert "error" in {entry["log_level"] for entry in logs}
    await store.delete(keys)
    answer = await calls("GET", target)
    assert (answer.status, answer.json["code"]) == (404, "not_found")


async def test_no_connection_is_held_while_a_slow_reader_reads(app, target, database):
    transport = InProcessTransport(app, "gateway").as_principal(principal("VIEWER", 3))
    async with transport.send(TransportRequest("GET", target)) as answer:
        chunks = answer.chunks()
        await anext(chunks)
        await asyncio.sleep(0)
        assert database._engine.pool.checkedout() == 0
