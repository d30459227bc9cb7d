import asyncio

import orjson
import pytest

from datamate.services.gateway.edge import proxied_request

DATASETS = "/api/v1/data-management/datasets"


async def soon(event: asyncio.Event) -> bool:
    async with asyncio.timeout(5):
        return await event.wait()


async def test_request_arrives_as_sent_when_it_is_forwarded(door):
    headers = {**door.bearer(), "x-custom": "1", "accept-language": "de"}
    async with door.client.get("/api/v1/users/a%20b?x=1&y=%C3%A4", headers=headers) as answer:
        assert answer.status == 200
        assert answer.headers["x-of-service"] == "1"
    head = door.happenings.heads[0]
    assert (head["path"], head["raw_path"], head["query"]) == ("/users/a b", "/users/a%20b", "x=1&y=%C3%A4")
    fields = dict(head["fields"])
    assert (fields["x-custom"], fields["accept-language"]) == ("1", "de")
    assert (head["user_id"], head["role"], head["actor"]) == ("1", "ADMIN", "gateway")


async def test_answer_carries_security_headers_and_a_request_id_when_forwarded(door):
    async with door.client.get("/api/v1/users/1", headers={**door.bearer(), "x-request-id": "mine-1"}) as answer:
        assert answer.headers.getall("x-frame-options") == ["DENY"]
        assert answer.headers.getall("x-content-type-options") == ["nosniff"]
        assert answer.headers["x-request-id"] == "mine-1"
        assert "server" not in answer.headers
    assert dict(door.happenings.heads[0]["fields"])["x-request-id"] == "mine-1"


async def test_request_id_is_made_when_the_client_sends_a_strange_one(door):
    async with door.client.get("/api/v1/users/1", headers={**door.bearer(), "x-request-id": "a b\tc"}) as answer:
        assert len(answer.headers["x-request-id"]) == 32


async def test_trace_continues_when_the_client_sends_a_valid_traceparent(door):
    sent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    async with door.client.get("/api/v1/users/1", headers={**door.bearer(), "traceparent": sent}):
        pass
    trace, span = dict(door.happenings.heads[0]["fields"])["traceparent"].split("-")[1:3]
    assert trace == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert span != "00f067aa0ba902b7"


async def test_whole_body_arrives_when_it_is_streamed(door):
    async def chunks():
        for _ in range(160):
            yield b"y" * 65_536

    async with door.client.put(f"{DATASETS}/upload", data=chunks(), headers=door.bearer()) as answer:
        assert await answer.json() == {"bytes": 160 * 65_536}


async def test_early_refusal_reaches_the_client_when_a_body_is_too_large(door):
    path = f"{DATASETS}/small"
    async with door.client.put(path, data=b"y" * 100_000, headers=door.bearer()) as answer:
        assert answer.status == 413
        assert (await answer.json(content_type=None))["code"] == "too_large"


async def test_service_stops_when_the_client_leaves_in_the_middle_of_an_answer(door):
    async with door.client.get(f"{DATASETS}/download", headers=door.bearer()) as answer:
        await answer.content.readexactly(100_000)
    await soon(door.happenings.stream_closed)
    assert door.happenings.chunks_sent < 1000


async def test_service_waits_when_the_client_reads_slowly(door):
    async with door.client.get(f"{DATASETS}/download", headers=door.bearer()) as answer:
        await answer.content.readexactly(1000)
        await asyncio.sleep(0.5)
        assert door.happenings.chunks_sent < 400


async def test_handler_is_cancelled_when_the_client_leaves_before_the_answer(door):
    call = asyncio.create_task(door.client.get(f"{DATASETS}/sleep", headers=door.bearer()))
    await asyncio.sleep(0.3)
    call.cancel()
    await soon(door.happenings.cancelled)


async def test_answer_is_504_and_handler_cancelled_when_the_service_is_too_slow(door, monkeypatch):
    monkeypatch.setattr("datamate.services.gateway.app.FIRST_BYTE_SECONDS", 0.3)
    async with door.client.get(f"{DATASETS}/sleep", headers=door.bearer()) as answer:
        assert answer.status == 504
        assert (await answer.json(content_type=None))["code"] == "deadline_exceeded"
    await soon(door.happenings.cancelled)


async def test_answer_is_504_when_the_client_pauses_in_its_body(door, monkeypatch):
    monkeypatch.setattr(proxied_request, "IDLE_SECONDS", 0.3)

    async def chunks():
        yield b"y"
        await asyncio.sleep(5)

    async with door.client.put(f"{DATASETS}/upload", data=chunks(), headers=door.bearer()) as answer:
        assert answer.status == 504
        assert (await answer.json(content_type=None))["code"] == "slow_client"


async def test_events_arrive_at_once_and_the_service_is_told_when_the_reader_leaves(door):
    async with door.client.get(f"{DATASETS}/events", headers=door.bearer()) as answer:
        async with asyncio.timeout(5):
            assert await answer.content.readuntil(b"\n\n") == b'id: 1\ndata: {"value":1}\n\n'
            assert await answer.content.readuntil(b"\n\n") == b": keep-alive\n\n"
    await soon(door.happenings.stream_closed)


async def test_answer_is_503_when_the_service_is_down(deserted_door):
    async with deserted_door.client.get("/api/v1/users/1", headers=deserted_door.bearer()) as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (503, "unavailable")
    async with deserted_door.client.get("/health/ready") as answer:
        assert answer.status == 503
        assert (await answer.json(content_type=None))["errors"][0]["field"] == "main"
    async with deserted_door.client.get("/health/live") as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing", "/api/v1", "/", "/users/1", "/api/v1/internal/secret", "/internal/secret"]
)
async def test_answer_is_404_when_no_route_has_the_prefix(local_door, path):
    async with local_door.client.get(path, headers=local_door.bearer()) as answer:
        assert answer.status == 404
        assert answer.headers["content-type"] == "application/problem+json"


async def test_trailing_slash_is_not_redirected_when_the_service_has_no_such_route(local_door):
    async with local_door.client.get(
        f"{DATASETS}/sleep/", headers=local_door.bearer(), allow_redirects=False
    ) as answer:
        assert answer.status == 404


async def test_document_holds_every_routed_operation_when_services_are_merged(door):
    async with door.client.get("/api/v1/openapi.json") as answer:
        document = orjson.loads(await answer.read())
    assert "/api/v1/auth/login" in document["paths"]
    assert f"{DATASETS}/events" in document["paths"]
    assert not [path for path in document["paths"] if "internal" in path or "health" in path]
    login = document["paths"]["/api/v1/auth/login"]["post"]
    reference = login["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    assert reference == "#/components/schemas/main_Count"
    assert "main_Count" in document["components"]["schemas"]
    assert "security" not in login


async def test_page_loads_nothing_when_the_api_is_read_by_people(local_door):
    async with local_door.client.get("/docs") as answer:
        page = await answer.text()
        assert "sha256-" in answer.headers["content-security-policy"]
    assert "/api/v1/auth/login" in page
    assert "<script" not in page


async def test_metrics_are_for_administrators_when_asked_through_the_gateway(local_door):
    for headers, status in (({}, 401), (local_door.bearer(3), 403), (local_door.bearer(1), 200)):
        async with local_door.client.get("/metrics", headers=headers) as answer:
            assert answer.status == status
    async with local_door.client.get("/metrics", headers=local_door.bearer(1)) as answer:
        assert 'route="/metrics"' in await answer.text()
