"""One body of tests for both ways to reach a service: in the same process and over HTTP."""

import asyncio
import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import orjson
import pytest

from datamate.clients.transport import TransportRequest
from datamate.core.errors import DeadlineExceededError, UnavailableError
from datamate.platform.http.exchange import ServiceTransport
from datamate.platform.http.in_process import InProcessTransport
from datamate.platform.http.over_http import HttpTransport, InternalHttpTransport
from datamate.platform.http.server import serve
from datamate.platform.security import Principal

ALICE = Principal(user_id="7", username="alice", role="VIEWER", permissions=frozenset({"dataset:read"}))
MEGABYTE = 1 << 20
CHUNK = b"y" * 65_536


@asynccontextmanager
async def serving(app) -> AsyncIterator[int]:
    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    task = asyncio.create_task(serve(app, "127.0.0.1", 0, stop=stop, on_started=started.set_result))
    await asyncio.wait({task, started}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield started.result()
    finally:
        stop.set()
        await task


@pytest.fixture(params=["in_process", "http"])
async def transport(request: pytest.FixtureRequest, service, tokens) -> AsyncIterator[ServiceTransport]:
    if request.param == "in_process":
        in_process = InProcessTransport(service, "tests")
        yield in_process
        await in_process.close()
        return
    async with serving(service) as port:
        over_http = InternalHttpTransport(f"http://127.0.0.1:{port}", service="sample", caller="tests", tokens=tokens)
        yield over_http
        await over_http.close()


async def fetch(transport, method: str, path: str, **options) -> tuple[int, dict[str, str], bytes]:
    async with transport.send(TransportRequest(method, path, **options)) as answer:
        return answer.status, dict(answer.headers), b"".join([chunk async for chunk in answer.chunks()])


async def soon(event: asyncio.Event) -> bool:
    async with asyncio.timeout(5):
        return await event.wait()


async def test_status_headers_and_body_arrive_when_a_json_route_answers(transport):
    status, headers, body = await fetch(transport, "GET", "/echo/x", headers={"x-custom": "plain text"})
    assert (status, headers["content-type"]) == (200, "application/json")
    assert orjson.loads(body)["custom"] == "plain text"
    assert int(headers["content-length"]) == len(body)


async def test_query_arrives_unchanged_when_it_needs_encoding(transport):
    query = (("a", "1 2"), ("a", "&=?#/+%"), ("ключ", "値"), ("empty", ""))
    _, _, body = await fetch(transport, "GET", "/echo/x", query=query)
    assert [tuple(pair) for pair in orjson.loads(body)["query"]] == list(query)


async def test_path_segment_arrives_decoded_when_it_is_percent_encoded(transport):
    _, _, body = await fetch(transport, "GET", "/echo/a%20b%25%E2%82%AC")
    assert orjson.loads(body)["name"] == "a b%€"


async def test_body_arrives_when_it_is_given_whole(transport):
    _, _, body = await fetch(transport, "POST", "/echo/x", body=b"hello")
    assert orjson.loads(body)["body"] == "hello"


async def test_answer_is_empty_when_the_status_allows_no_body(transport):
    status, _, body = await fetch(transport, "GET", "/empty")
    assert (status, body) == (204, b"")


async def test_principal_arrives_when_the_transport_speaks_for_one(transport):
    status, _, body = await fetch(transport.as_principal(ALICE), "GET", "/whoami")
    assert status == 200
    assert orjson.loads(body) == {"user_id": "7", "role": "VIEWER", "actor": "tests"}


async def test_permission_is_denied_when_the_transport_speaks_for_its_caller(transport):
    status, headers, body = await fetch(transport, "GET", "/whoami")
    assert (status, headers["content-type"]) == (403, "application/problem+json")
    assert orjson.loads(body)["code"] == "permission_denied"


async def test_answer_is_a_problem_without_the_reason_when_the_handler_crashes(transport):
    status, headers, body = await fetch(transport, "GET", "/crash")
    assert (status, headers["content-type"]) == (500, "application/problem+json")
    assert b"secret" not in body
    assert len(orjson.loads(body)["trace_id"]) == 32


async def test_field_is_named_when_the_body_is_not_valid(transport):
    json = {"content-type": "application/json"}
    status, _, body = await fetch(transport, "POST", "/typed", body=b'{"value":"x"}', headers=json)
    assert status == 422
    assert [error["field"] for error in orjson.loads(body)["errors"]] == ["value"]


async def test_memory_stays_flat_when_64_megabytes_are_uploaded(transport):
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(64 * 16):
            yield CHUNK

    await fetch(transport, "PUT", "/upload", body=b"warm")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _, _, body = await fetch(transport, "PUT", "/upload", body=chunks())
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert orjson.loads(body) == {"bytes": 64 * MEGABYTE}
    assert grown_kib < 24 * 1024


async def test_source_error_reaches_the_caller_when_an_upload_breaks(transport):
    async def chunks() -> AsyncIterator[bytes]:
        yield CHUNK
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        await fetch(transport, "PUT", "/upload", body=chunks())


async def test_all_bytes_arrive_when_a_long_body_is_downloaded(transport):
    _, _, body = await fetch(transport, "GET", "/download/64")
    assert len(body) == 64 * 65_536


async def test_sender_waits_when_the_reader_is_slow(transport, happenings):
    async with transport.send(TransportRequest("GET", "/download/4000")) as answer:
        await anext(answer.chunks())
        await asyncio.sleep(0.3)
        assert happenings.chunks_sent < 400


async def test_service_stops_sending_when_the_reader_leaves_early(transport, happenings):
    async with transport.send(TransportRequest("GET", "/download/100000")) as answer:
        await anext(answer.chunks())
    await soon(happenings.stream_closed)
    assert happenings.chunks_sent < 1000


async def test_reader_is_told_when_the_service_breaks_off(transport):
    async with transport.send(TransportRequest("GET", "/breaks")) as answer:
        with pytest.raises(UnavailableError, match="broke off"):
            assert b"".join([chunk async for chunk in answer.chunks()]) == b"half"


async def test_call_ends_and_handler_is_cancelled_when_the_deadline_passes(transport, happenings):
    with pytest.raises(DeadlineExceededError):
        await fetch(transport, "GET", "/sleep", deadline_seconds=0.3)
    await soon(happenings.cancelled)


async def test_handler_is_cancelled_when_the_caller_is(transport, happenings):
    call = asyncio.create_task(fetch(transport, "GET", "/sleep"))
    await asyncio.sleep(0.3)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await soon(happenings.cancelled)


async def read_until(answer, done: Callable[[bytes], bool]) -> bytes:
    seen = b""
    async with asyncio.timeout(5):
        async for chunk in answer.chunks():
            seen += chunk
            if done(seen):
                break
    return seen


async def test_events_and_heartbeats_arrive_and_the_stream_closes_when_the_reader_leaves(transport, happenings):
    async with transport.send(TransportRequest("GET", "/events")) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        seen = await read_until(answer, lambda seen: b": keep-alive" in seen)
    assert seen.startswith(b'id: 0\nevent: count\ndata: {"value":0}\n\n')
    await soon(happenings.stream_closed)


async def test_stream_resumes_when_the_last_event_id_is_sent(transport):
    headers = {"last-event-id": "1"}
    async with transport.send(TransportRequest("GET", "/events", headers=headers)) as answer:
        seen = await read_until(answer, lambda seen: b"\n\n" in seen)
    assert seen == b'id: 2\nevent: count\ndata: {"value":2}\n\n'


async def test_calls_do_not_mix_when_many_run_at_once(transport):
    answers: list[Awaitable[tuple[int, dict[str, str], bytes]]] = [
        fetch(transport, "POST", f"/echo/{number}", body=str(number).encode()) for number in range(50)
    ]
    for number, (status, _, body) in enumerate(await asyncio.gather(*answers)):
        assert (status, orjson.loads(body)["name"], orjson.loads(body)["body"]) == (200, str(number), str(number))


async def test_error_says_where_when_nothing_listens_there():
    transport = HttpTransport("http://127.0.0.1:9")
    with pytest.raises(UnavailableError, match=r"http://127\.0\.0\.1:9"):
        await fetch(transport, "GET", "/echo/x")
    await transport.close()


async def test_caller_gets_a_problem_when_a_bare_application_raises():
    async def app(_scope, _receive, _send) -> None:
        raise ZeroDivisionError

    status, headers, _ = await fetch(InProcessTransport(app, "tests"), "GET", "/")
    assert (status, headers["content-type"]) == (500, "application/problem+json")
