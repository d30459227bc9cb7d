"""What every service does with requests, seen through the in-process transport."""

import asyncio
from typing import Annotated

import orjson
import pytest
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, JsonValue, SecretStr

from datamate.clients.transport import TransportRequest
from datamate.contracts.main.permissions import Permission
from datamate.core import errors
from datamate.core.errors import ConfigurationError
from datamate.platform.http.body_limit import raw_body
from datamate.platform.http.in_process import InProcessTransport
from datamate.platform.security import Principal, public, require_permission

JSON = {"content-type": "application/json"}


class Thing(BaseModel):
    name: str
    inner: dict[str, JsonValue] = {}
    password: SecretStr | None = None


def routes() -> APIRouter:
    router = APIRouter(dependencies=[public])

    @router.post("/things")
    async def make(thing: Thing) -> Thing:
        return thing

    @router.get("/things/{name}")
    async def show(name: str, limit: Annotated[int, Query(ge=1, le=100)] = 10) -> dict[str, str]:
        return {"name": name, "limit": str(limit)}

    @router.get("/fails/{name}")
    async def fail(name: str) -> None:
        raise getattr(errors, name)("What happened.") if name != "plain" else ValueError("the s3cret")

    @router.put("/raw", dependencies=[raw_body(100)])
    async def raw(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @router.get("/slow")
    async def slow() -> None:
        await asyncio.sleep(30)

    return router


@pytest.fixture
def call(make_service):
    transport = InProcessTransport(make_service(routes()), "tests")

    async def send(method: str, path: str, body=None, **options):
        async with transport.send(TransportRequest(method, path, body=body, **options)) as answer:
            content = b"".join([chunk async for chunk in answer.chunks()])
            return answer.status, answer.headers, content

    return send


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("InvalidInputError", 422, "invalid_input"),
        ("UnauthenticatedError", 401, "unauthenticated"),
        ("PermissionDeniedError", 403, "permission_denied"),
        ("NotFoundError", 404, "not_found"),
        ("MethodNotAllowedError", 405, "method_not_allowed"),
        ("ConflictError", 409, "conflict"),
        ("PreconditionFailedError", 412, "precondition_failed"),
        ("TooLargeError", 413, "too_large"),
        ("UnsupportedMediaTypeError", 415, "unsupported_media_type"),
        ("RangeNotSatisfiableError", 416, "range_not_satisfiable"),
        ("RateLimitedError", 429, "rate_limited"),
        ("UnavailableError", 503, "unavailable"),
        ("DeadlineExceededError", 504, "deadline_exceeded"),
        ("StorageFullError", 507, "storage_full"),
    ],
)
async def test_error_becomes_its_problem_when_a_route_raises_it(call, name, status, code):
    answer, headers, body = await call("GET", f"/fails/{name}")
    problem = orjson.loads(body)
    assert (answer, headers["content-type"]) == (status, "application/problem+json")
    assert (problem["status"], problem["code"], problem["detail"]) == (status, code, "What happened.")
    assert len(problem["trace_id"]) == 32


@pytest.mark.parametrize("name", ["plain", "ConfigurationError", "DatamateError"])
async def test_nothing_leaks_when_an_error_is_ours(call, log, name):
    status, _, body = await call("GET", f"/fails/{name}")
    problem = orjson.loads(body)
    assert (status, problem["code"]) == (500, "internal")
    assert "What happened" not in problem["detail"]
    assert b"s3cret" not in body
    lines = [orjson.loads(line) for line in log.getvalue().splitlines()]
    assert any(line["trace_id"] == problem["trace_id"] and "exception" in line for line in lines)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/things/x/", 404, "not_found"),
        ("DELETE", "/things", 405, "method_not_allowed"),
        ("GET", "/things/x?limit=0", 404, "not_found"),
    ],
)
async def test_framework_errors_are_problems_when_no_route_fits(call, method, path, status, code):
    answer, headers, body = await call(method, path.replace("?", "%3F/"))
    assert (answer, headers["content-type"]) == (status, "application/problem+json")
    assert orjson.loads(body)["code"] == code


async def test_allowed_methods_are_named_when_the_method_is_wrong(call):
    _, headers, _ = await call("DELETE", "/things")
    assert headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b'{"name":1}', ["name"]),
        (b"{}", ["name"]),
        (b'{"name":', [""]),
        (b"[]", [""]),
        (b'"x"', [""]),
        (b"", [""]),
        (b"\xff\xfe", [""]),
        (b'{"name":"\\ud800"}', [""]),
        (b'{"name":"\\udc00\\ud800"}', [""]),
        (b'{"name":"\\\\ud800\\udc00"}', [""]),
        (b'{"name":"\xed\xa0\x80"}', [""]),
        (b"[" * 100_000, [""]),
    ],
)
async def test_field_is_named_when_a_body_is_not_valid(call, body, fields):
    status, _, answer = await call("POST", "/things", body, headers=JSON)
    assert status in (400, 422)
    problem = orjson.loads(answer)
    assert problem["code"] == "invalid_input"
    assert [item["field"] for item in problem["errors"]] == (fields if status == 422 else [])


async def test_field_is_named_when_a_query_parameter_is_not_valid(call):
    status, _, answer = await call("GET", "/things/x", query=(("limit", "1000"),))
    assert status == 422
    assert [item["field"] for item in orjson.loads(answer)["errors"]] == ["limit"]


async def test_input_is_not_repeated_when_it_is_refused(call):
    body = b'{"name": ["hunter2"], "password": ["hunter2"]}'
    _, _, answer = await call("POST", "/things", body, headers=JSON)
    assert b"hunter2" not in answer


@pytest.mark.parametrize(
    "body",
    [b'{"name":"a\\u0000"}', b'{"name":"a\\\\\\u0000"}', b'{"name":"a","inner":{"\\u0000":1}}'],
)
async def test_nul_is_refused_when_a_json_text_holds_it(call, body):
    status, _, answer = await call("POST", "/things", body, headers=JSON)
    assert status == 422
    assert "U+0000" in orjson.loads(answer)["detail"]


async def test_text_passes_when_surrogates_come_in_pairs(call):
    status, _, answer = await call("POST", "/things", b'{"name":"\\ud83d\\ude00 \xc3\xa4"}', headers=JSON)
    assert (status, orjson.loads(answer)["name"]) == (200, "😀 ä")


async def test_text_passes_when_it_only_looks_like_a_nul_escape(call):
    status, _, answer = await call("POST", "/things", b'{"name":"a\\\\u0000"}', headers=JSON)
    assert (status, orjson.loads(answer)["name"]) == (200, "a\\u0000")


async def test_nul_is_refused_when_its_escape_is_split_between_chunks(call):
    async def chunks():
        for byte in b'{"name":"a\\u0000"}':
            yield bytes((byte,))

    status, _, _ = await call("POST", "/things", chunks(), headers=JSON)
    assert status == 422


@pytest.mark.parametrize(
    ("path", "query", "field"), [("/things/a%00b", (), "path"), ("/things/a", (("limit", "1\0"),), "limit")]
)
async def test_nul_is_refused_when_an_address_holds_it(call, path, query, field):
    status, _, answer = await call("GET", path, query=query)
    assert status == 422
    assert [item["field"] for item in orjson.loads(answer)["errors"]] == [field]


async def test_body_passes_as_it_is_when_the_route_reads_it_raw(call):
    status, _, _ = await call("PUT", "/raw", b'{"name":"a\\u0000"}', headers=JSON)
    assert status == 200


@pytest.mark.parametrize("whole", [True, False])
async def test_body_is_refused_when_it_is_larger_than_the_route_takes(call, whole):
    async def chunks():
        for _ in range(50):
            yield b"x" * 10

    status, headers, _ = await call("PUT", "/raw", b"x" * 500 if whole else chunks())
    assert (status, headers["connection"]) == (413, "close")


async def test_body_is_refused_when_it_is_larger_than_any_json(call):
    status, _, answer = await call("POST", "/things", b" " * (16 * 1024 * 1024 + 1), headers=JSON)
    assert (status, orjson.loads(answer)["code"]) == (413, "too_large")


async def test_work_is_cancelled_with_504_when_the_callers_deadline_passes(call):
    status, _, answer = await call("GET", "/slow", headers={"x-datamate-deadline-ms": "100"})
    assert (status, orjson.loads(answer)["code"]) == (504, "deadline_exceeded")


@pytest.mark.parametrize("value", ["", "-1", "1e3", "9" * 11, "x"])
async def test_deadline_counts_as_absent_when_it_is_no_number(call, value):
    status, _, _ = await call("GET", "/things/x", headers={"x-datamate-deadline-ms": value})
    assert status == 200


async def test_metrics_name_the_route_and_never_the_path_when_requests_were_answered(call):
    await call("GET", "/things/some-name")
    await call("GET", "/nothing/some-name")
    await call("FOO", "/things/some-name")
    _, headers, body = await call("GET", "/metrics")
    text = body.decode()
    assert headers["content-type"].startswith("text/plain; version=0.0.4")
    assert (
        'datamate_http_request_seconds_count{method="GET",route="/things/{name}",service="sample",status="200"}' in text
    )
    assert 'route="unmatched",service="sample",status="404"' in text
    assert 'method="other"' in text
    assert "some-name" not in text


async def test_document_tells_problems_and_permissions_when_asked_for(make_service):
    router = APIRouter()

    @router.post("/open", dependencies=[public])
    async def open_route(thing: Thing) -> Thing:
        return thing

    @router.get("/guarded", dependencies=[require_permission(Permission.USER_READ)])
    async def guarded() -> None:
        return

    transport = InProcessTransport(make_service(router), "tests")
    async with transport.send(TransportRequest("GET", "/openapi.json")) as answer:
        document = orjson.loads(b"".join([chunk async for chunk in answer.chunks()]))
    assert set(document["paths"]) == {"/open", "/guarded"}
    operation = document["paths"]["/guarded"]["get"]
    assert (operation["security"], operation["x-datamate-permissions"]) == ([{"bearer": []}], ["user:read"])
    answers = document["paths"]["/open"]["post"]["responses"]
    assert set(answers) == {"200", "default"}
    assert "Problem" in document["components"]["schemas"]
    assert "HTTPValidationError" not in document["components"]["schemas"]


async def test_start_stops_when_a_route_declares_nothing(make_service):
    router = APIRouter()

    @router.get("/forgotten")
    async def forgotten() -> None:
        return

    with pytest.raises(ConfigurationError, match="/forgotten"):
        make_service(router)


async def test_principal_is_taken_from_the_scope_and_not_from_a_header_when_in_process(make_service):
    router = APIRouter()

    @router.get("/me", dependencies=[require_permission(Permission.USER_READ)])
    async def me(request: Request) -> dict[str, str]:
        return {"user": request.scope["datamate.principal"].user_id}

    transport = InProcessTransport(make_service(router), "tests")
    request = TransportRequest("GET", "/me", headers={"authorization": "Bearer x", "x-user-id": "1"})
    async with transport.send(request) as answer:
        assert answer.status == 403
    holder = Principal("7", "a", "A", frozenset({"user:read"}))
    async with transport.as_principal(holder).send(request) as answer:
        assert answer.status == 200
