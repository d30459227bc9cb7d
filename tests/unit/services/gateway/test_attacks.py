"""What someone tries who wants in, or wants to be someone else."""

import base64
import time

import jwt
import orjson
import pytest

from datamate.platform.security import Principal

PUBLIC_KEY = "public-secret-of-the-tests-000001"
INTERNAL_KEY = "internal-secret-of-the-tests-0001"
IDENTITY_HEADERS = [
    "User",
    "user",
    "USER",
    "X-User-Name",
    "x-user-id",
    "X-USER-ROLE",
    "X-User",
    "X-Username",
    "X-Datamate-Principal",
    "x-datamate-deadline-ms",
    "X-Forwarded-For",
    "X-Forwarded-User",
    "X-Forwarded-Host",
    "Forwarded",
    "X-Real-IP",
    "X-Remote-User",
    "X-Auth-Request-User",
    "X-Internal-Token",
    "True-Client-IP",
    "Proxy-Authorization",
    "TE",
]


def claims(**changes: object) -> dict[str, object]:
    now = int(time.time())
    own: dict[str, object] = {
        "iss": "datamate",
        "aud": "datamate-api",
        "sub": "1",
        "iat": now,
        "exp": now + 600,
        "jti": "t",
        "epoch": 1,
    }
    own.update(changes)
    return {name: value for name, value in own.items() if value is not None}


def token(key: str = PUBLIC_KEY, *, algorithm: str = "HS256", typ: str | None = "at+jwt", extra=(), **changes) -> str:
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers={"typ": typ, **dict(extra)})


def unsigned(algorithm: str) -> str:
    head = {"alg": algorithm, "typ": "at+jwt"}
    parts = [base64.urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=").decode() for part in (head, claims())]
    return ".".join([*parts, ""])


def tampered() -> str:
    head, _, signature = token(sub="3").split(".")
    payload = base64.urlsafe_b64encode(orjson.dumps(claims(sub="1"))).rstrip(b"=").decode()
    return f"{head}.{payload}.{signature}"


FORGED = {
    "alg none": unsigned("none"),
    "alg None": unsigned("None"),
    "tampered": tampered(),
    "another key": token("x" * 32),
    "the internal key": token(INTERNAL_KEY),
    "another algorithm": token("x" * 64, algorithm="HS512"),
    "same key, HS384": token(PUBLIC_KEY + "0" * 16, algorithm="HS384"),
    "typ of internal tokens": token(typ="internal+jwt"),
    "typ JWT": token(typ="JWT"),
    "no typ": token(typ=None),
    "embedded key": token(extra={"jwk": {"kty": "oct", "k": "eA"}}),
    "key address": token(extra={"jku": "http://evil/keys"}),
    "critical extension": token(extra={"crit": ["exp"]}),
    "another audience": token(aud="main"),
    "several audiences": token(aud=["datamate-api", "main"]),
    "no audience": token(aud=None),
    "another issuer": token(iss="evil"),
    "no issuer": token(iss=None),
    "expired": token(exp=int(time.time()) - 60),
    "no expiry": token(exp=None),
    "from the future": token(iat=int(time.time()) + 600),
    "no id": token(jti=None),
    "no epoch": token(epoch=None),
    "epoch as text": token(epoch="1"),
    "epoch as truth": token(epoch=True),
    "older epoch": token(epoch=0),
    "newer epoch": token(epoch=2),
    "unknown user": token(sub="99"),
    "strange user": token(sub="1 OR 1=1"),
    "a service as user": token(sub="service:gateway"),
    "no user": token(sub=None),
    "huge": token(extra={"x": "y" * 10_000}),
    "not a token": "abc",
    "empty": "",
}


@pytest.mark.parametrize("name", FORGED)
async def test_request_is_refused_when_the_token_is(local_door, name):
    headers = {"authorization": f"Bearer {FORGED[name]}"}
    async with local_door.client.get("/api/v1/users/1", headers=headers) as answer:
        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert local_door.happenings.heads == []


@pytest.mark.parametrize("value", ["", "Basic YTpi", "bearer", "Token abc", "Bearer  "])
async def test_request_is_refused_when_the_scheme_is_not_bearer(local_door, value):
    async with local_door.client.get("/api/v1/users/1", headers={"authorization": value}) as answer:
        assert answer.status == 401


async def test_request_is_refused_when_two_tokens_come(local_door):
    mine, other = local_door.bearer(3)["authorization"], local_door.bearer(1)["authorization"]
    headers = [("authorization", mine), ("authorization", other)]
    async with local_door.client.get("/api/v1/users/1", headers=headers) as answer:
        assert answer.status == 422


async def test_token_dies_at_once_when_the_epoch_is_raised(door):
    headers = door.bearer(2)
    async with door.client.get("/api/v1/tasks/1", headers=headers) as answer:
        assert answer.status == 200
    door.principals.put(2, "EDITOR", epoch=2)
    async with door.client.get("/api/v1/tasks/1", headers=headers) as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (401, "token_revoked")


async def test_token_dies_at_once_when_the_user_is_disabled(door):
    headers = door.bearer(2)
    door.principals.put(2, "EDITOR", enabled=False)
    async with door.client.get("/api/v1/tasks/1", headers=headers) as answer:
        assert answer.status == 401


async def test_permission_is_that_of_the_moment_when_the_role_changes(door):
    headers = door.bearer(1)
    door.principals.put(1, "VIEWER")
    async with door.client.get("/api/v1/users/1", headers=headers) as answer:
        assert answer.status == 403


@pytest.mark.parametrize("name", IDENTITY_HEADERS)
async def test_identity_header_does_not_reach_the_service_when_a_client_sends_it(door, name):
    headers = [(name, "admin"), (name, "root"), ("Connection", "x-datamate-principal, authorization")]
    async with door.client.get("/api/v1/tasks/1", headers=[*headers, *door.bearer(3).items()]) as answer:
        assert answer.status == 200
    head = door.happenings.heads[0]
    sent = [value for field, value in head["fields"] if field == name.lower()]
    assert "admin" not in sent
    assert "root" not in sent
    assert (head["user_id"], head["role"]) == ("3", "VIEWER")


async def test_nobody_is_let_in_when_only_identity_headers_come(door):
    headers = {"User": "admin", "X-User-Name": "admin", "X-User-Role": "ADMIN", "X-Datamate-Principal": "admin"}
    async with door.client.get("/api/v1/users/1", headers=headers) as answer:
        assert answer.status == 401


@pytest.mark.parametrize("name", ["X_User_Name", "x_forwarded_for", "Content_Length", "_"])
async def test_request_is_refused_when_a_header_name_holds_an_underscore(local_door, name):
    async with local_door.client.get("/api/v1/tasks/1", headers={name: "1", **local_door.bearer()}) as answer:
        assert answer.status == 422


async def test_public_token_never_reaches_the_service_when_it_is_forwarded(door):
    async with door.client.get("/api/v1/tasks/1", headers=door.bearer()):
        pass
    sent = dict(door.happenings.heads[0]["fields"]).get("authorization", "")
    assert sent != door.bearer()["authorization"]
    if sent:
        read = jwt.decode(sent.removeprefix("Bearer "), INTERNAL_KEY, algorithms=["HS256"], audience="main")
        assert (read["act"], read["sub"], read["exp"] - read["iat"]) == ("gateway", "1", 60)


async def test_services_own_token_gives_no_way_in_when_sent_to_the_gateway(door):
    admin = Principal("1", "admin", "ADMIN", frozenset({"user:read"}))
    stolen = door.internal_tokens.mint(admin, service="main", caller="gateway")
    async with door.client.get("/api/v1/users/1", headers={"authorization": f"Bearer {stolen}"}) as answer:
        assert answer.status == 401


async def test_service_refuses_when_it_is_called_past_the_gateway(remote_door):
    viewer = Principal("1", "admin", "ADMIN", frozenset({"user:read"}))
    attempts = [
        {},
        remote_door.bearer(1),
        {"User": "admin", "X-User-Name": "admin", "X-Datamate-Principal": "admin"},
        {"authorization": "Bearer " + remote_door.internal_tokens.mint(viewer, service="runtime", caller="gateway")},
    ]
    for headers in attempts:
        async with remote_door.client.get(f"{remote_door.service_url}/users/1", headers=headers) as answer:
            assert answer.status == 401
    right = remote_door.internal_tokens.mint(viewer, service="main", caller="gateway")
    headers = {"authorization": f"Bearer {right}"}
    async with remote_door.client.get(f"{remote_door.service_url}/users/1", headers=headers) as answer:
        assert answer.status == 200
    async with remote_door.client.get(f"{remote_door.service_url}/internal/secret", headers=headers) as answer:
        assert answer.status == 403


PATHS = [
    "/api/v1/auth/login/../../users/1",
    "/api/v1/auth/login/%2e%2e/%2e%2e/users/1",
    "/api/v1/auth/login/.%2e/users/1",
    "/api/v1/auth/%2E%2E/users/1",
    "/api/v1/auth/login%2f..%2f..%2fusers",
    "/api/v1/auth/login%2F..",
    "/api/v1/auth/login/..%5c..%5cusers",
    "/api/v1/auth\\..\\users",
    "/api/v1//users/1",
    "//api/v1/users/1",
    "/api/v1/./users/1",
    "/api/v1/users/%00",
    "/api/v1/users/1%00.json",
    "/api/v1/users/%0d%0aX-User:%20admin",
    "/api/v1/users/%7f",
    "/api/v1/users/%252e%252e/roles",
    "/api/v1/users/%25%32%66",
    "/api/v1/users/%c0%ae%c0%ae/roles",
    "/api/v1/users/%ff",
    "/api/v1/users/%zz",
    "/api/v1/users/%",
    "/api/v1/users/%2",
    "/api/v1/users/..",
    "/api/v1/users/{1}",
]


@pytest.mark.parametrize("path", PATHS)
async def test_request_is_refused_when_its_path_has_two_readings(local_door, path):
    authorization = local_door.bearer(1)["authorization"]
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\nConnection: close\r\n\r\n"
    answer = await local_door.raw(head.encode())
    assert answer.split(b" ", 2)[1] in (b"400", b"422")
    assert local_door.happenings.heads == []


@pytest.mark.parametrize(
    "path",
    ["/api/v1/auth/login;/x", "/api/v1/auth/login/x", "/api/v1/auth/LOGIN", "/api/v1/auth/login/", "/api/v1/auth"],
)
async def test_token_is_asked_for_when_the_path_is_only_like_a_public_one(local_door, path):
    async with local_door.client.post(path, json={"value": 1}) as answer:
        assert answer.status == 401


async def test_public_route_asks_for_a_token_when_the_method_is_another(local_door):
    async with local_door.client.get("/api/v1/auth/login") as answer:
        assert answer.status == 401


async def test_public_route_answers_when_its_escapes_are_needless(local_door):
    async with local_door.client.post(f"{local_door.url}/api/v1/auth/%6Cogin", json={"value": 1}) as answer:
        assert answer.status == 200


RAW = {
    "no host": b"GET /health/live HTTP/1.1\r\nConnection: close\r\n\r\n",
    "two hosts": b"GET /health/live HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
    "empty host": b"GET /health/live HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n",
    "length and chunks": b"POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n",
    "two lengths": b"POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
    "signed length": b"POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nabcd",
    "unknown coding": b"POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
    "two codings": b"POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "space in name": b"GET /health/live HTTP/1.1\r\nHost: a\r\nX-User : b\r\n\r\n",
    "folded header": b"GET /health/live HTTP/1.1\r\nHost: a\r\nX-A: b\r\n X-User: c\r\n\r\n",
    "bare line feed": b"GET /health/live HTTP/1.1\nHost: a\n\n",
    "nul in header": b"GET /health/live HTTP/1.1\r\nHost: a\r\nX-A: b\x00c\r\n\r\n",
    "many fields": b"GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + b"X-A: b\r\n" * 100 + b"\r\n",
    "large head": b"GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-A: " + b"b" * 33_000 + b"\r\n\r\n",
    "endless head": b"GET /health/live HTTP/1.1\r\nHost: a\r\nX-A: " + b"b" * 66_000,
    "trace": b"TRACE /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "control in query": b"GET /health/live?a=\x01 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
}


@pytest.mark.parametrize("name", RAW)
async def test_request_is_refused_when_its_head_is_not_clear(local_door, name):
    answer = await local_door.raw(RAW[name])
    assert answer.split(b" ", 2)[1] in (b"400", b"405", b"413", b"422", b"431")
    assert b"application/problem+json" in answer
    assert answer.count(b"HTTP/1.1 ") == 1


async def test_log_holds_no_credentials_when_requests_fail_and_succeed(door, log):
    headers = door.bearer(1)
    async with door.client.get("/api/v1/users/1?token=query-secret", headers=headers):
        pass
    async with door.client.get("/api/v1/users/1", headers={"authorization": "Bearer forged-secret"}):
        pass
    written = log.getvalue()
    assert '"path":"/api/v1/users/1"' in written
    for secret in (headers["authorization"].split(".")[1], "query-secret", "forged-secret"):
        assert secret not in written
