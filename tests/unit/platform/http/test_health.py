import orjson
from fastapi import APIRouter

from datamate.clients.transport import TransportRequest
from datamate.platform.http.in_process import InProcessTransport


async def fetch(app, path: str) -> tuple[int, dict]:
    async with InProcessTransport(app, "tests").send(TransportRequest("GET", path)) as answer:
        return answer.status, orjson.loads(b"".join([chunk async for chunk in answer.chunks()]))


async def test_service_is_ready_when_postgresql_and_redis_answer(make_service, database, redis):
    app = make_service(APIRouter(), database=database, redis=redis)
    assert await fetch(app, "/health/ready") == (200, {"status": "ready", "missing": []})


async def test_service_is_ready_and_says_what_is_missing_when_redis_is_away(make_service, database):
    app = make_service(APIRouter(), database=database)
    assert await fetch(app, "/health/ready") == (200, {"status": "ready", "missing": ["redis"]})


async def test_service_is_not_ready_when_postgresql_is_away(make_service, redis):
    status, problem = await fetch(make_service(APIRouter(), redis=redis), "/health/ready")
    assert (status, problem["code"]) == (503, "not_ready")
    assert [item["field"] for item in problem["errors"]] == ["database"]


async def test_service_is_not_ready_when_a_part_it_needs_fails(make_service, database, redis):
    async def broken() -> None:
        raise OSError("no such bucket s3cret")

    app = make_service(APIRouter(), database=database, redis=redis, needed={"storage": broken})
    status, problem = await fetch(app, "/health/ready")
    assert (status, [item["field"] for item in problem["errors"]]) == (503, ["storage"])
    assert "s3cret" not in str(problem)


async def test_service_lives_when_everything_is_away(make_service):
    assert await fetch(make_service(APIRouter()), "/health/live") == (200, {"status": "alive"})
