"""Principals: what the gateway learns of a user, at once after every change, from every replica."""

import pytest

from datamate.contracts.main.permissions import BUILT_IN_ROLES
from datamate.services.main.app import create_app
from factories.calls import Caller, principal


@pytest.fixture
def gateway(app):
    return Caller(app, part="gateway")


async def test_record_holds_role_and_permissions_when_user_exists(gateway, new_user):
    user = await new_user(role="VIEWER")
    answer = await gateway("GET", f"/internal/principals/{user.id}")
    assert answer.json == {
        "user_id": user.id,
        "username": "ada",
        "role": "VIEWER",
        "permissions": sorted(BUILT_IN_ROLES["VIEWER"]),
        "enabled": True,
        "epoch": 1,
    }


async def test_not_found_when_there_is_no_such_user(gateway):
    answer = await gateway("GET", "/internal/principals/999")
    assert (answer.status, answer.json["code"]) == (404, "user_not_found")


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"role": "VIEWER"}, {"role": "VIEWER", "epoch": 2, "enabled": True}),
        ({"enabled": False}, {"role": "EDITOR", "epoch": 2, "enabled": False}),
        ({"password": "another one of twelve"}, {"role": "EDITOR", "epoch": 2, "enabled": True}),
    ],
)
async def test_change_is_seen_at_once_when_the_record_was_cached(
    resources, admin, gateway, new_user, redis, change, seen
):
    user = await new_user()
    target = f"/internal/principals/{user.id}"
    other_replica = Caller(create_app(resources), part="gateway")
    for caller in (gateway, other_replica):
        assert (await caller("GET", target)).json["epoch"] == 1
    assert await redis.keys("cache:{principals:*}:value")
    assert (await admin("PATCH", f"/users/{user.id}", change)).status == 200
    for caller in (gateway, other_replica):
        assert (await caller("GET", target)).json.items() >= seen.items()


async def test_record_comes_from_postgresql_when_redis_is_away(gateway, new_user, redis_engine):
    user = await new_user()
    redis_engine.stop()
    try:
        assert (await gateway("GET", f"/internal/principals/{user.id}")).json["username"] == "ada"
    finally:
        redis_engine.start()


async def test_record_is_refused_when_a_user_or_another_part_asks(app, new_user):
    user = await new_user()
    for caller in (Caller(app, principal("ADMIN")), Caller(app, part="data_management")):
        assert (await caller("GET", f"/internal/principals/{user.id}")).status == 403
