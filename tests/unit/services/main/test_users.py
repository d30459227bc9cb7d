"""Accounts: what may be created and changed, by whom, and what a change does to those who are signed in."""

import asyncio

import pytest
from sqlalchemy import select

from datamate.platform.db.outbox import OutboxRow
from datamate.services.main.users.models import UserRow
from factories.accounts import PASSWORD
from factories.calls import Caller, principal

NEW = {"username": "grace", "password": PASSWORD, "role": "VIEWER"}


async def _row(database, user_id):
    async with database.reader() as session:
        return await session.get(UserRow, user_id)


async def test_user_is_stored_with_a_hash_when_created(admin, database):
    answer = await admin("POST", "/users", {**NEW, "email": "grace@example.org"})
    assert answer.status == 201
    row = await _row(database, answer.json["id"])
    assert answer.json == {
        "id": row.id,
        "username": "grace",
        "email": "grace@example.org",
        "role": "VIEWER",
        "enabled": True,
        "created_at": answer.json["created_at"],
    }
    assert row.password.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (await admin("GET", f"/users/{row.id}")).json == answer.json


async def test_conflict_names_the_field_when_username_differs_only_in_case(admin, new_user):
    await new_user("Grace")
    answer = await admin("POST", "/users", {**NEW, "username": "gRACE"})
    assert (answer.status, answer.json["code"], answer.fields) == (409, "username_taken", ["username"])


async def test_one_wins_when_two_create_the_same_username_at_once(admin):
    answers = await asyncio.gather(*(admin("POST", "/users", NEW) for _ in range(2)))
    assert sorted(answer.status for answer in answers) == [201, 409]
    assert len((await admin("GET", "/users")).json["items"]) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", 5),
        ("username", None),
        ("username", ""),
        ("username", "x" * 51),
        ("username", "two words"),
        ("username", ".hidden"),
        ("username", "ada\n"),
        ("username", "аda"),  # noqa: RUF001 - a Cyrillic letter that looks like a Latin one
        ("username", "ad\u200ba"),
        ("username", "ad\u212a"),
        ("password", "short"),
        ("password", "x" * 1025),
        ("password", ["x" * 12]),
        ("email", "nobody"),
        ("email", "a@b"),
        ("email", f"{'x' * 100}@example.org"),
        ("role", "admin"),
        ("role", "OWNER"),
        ("role", {"name": "ADMIN"}),
        ("id", 7),
        ("enabled", True),
        ("epoch", 1),
        ("created_at", "2020-01-01T00:00:00Z"),
        ("last_login_at", None),
    ],
)
async def test_problem_names_the_field_when_it_does_not_fit(admin, field, value):
    answer = await admin("POST", "/users", {**NEW, field: value})
    assert answer.status == 422
    assert answer.fields == [field]
    assert (await admin("GET", "/users")).json["items"] == []


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
@pytest.mark.parametrize("field", ["username", "password", "email", "role"])
async def test_text_that_cannot_be_stored_is_refused_when_sent_in_a_body(admin, field, value):
    answer = await admin("POST", "/users", {**NEW, field: value})
    assert answer.status == 422


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b'{"username": "a"', b"\xff"])
async def test_body_is_refused_when_it_is_no_object(admin, body):
    assert (await admin("POST", "/users", body)).status in {400, 422}


@pytest.mark.parametrize(
    ("target", "field"),
    [
        ("/users?limit=0", "limit"),
        ("/users?limit=1001", "limit"),
        ("/users?limit=ten", "limit"),
        ("/users?cursor=nonsense", "cursor"),
        ("/users?cursor=", "cursor"),
        ("/users/0", "user_id"),
        ("/users/-1", "user_id"),
        ("/users/9223372036854775808", "user_id"),
        ("/users/1e3", "user_id"),
        ("/users/ada", "user_id"),
    ],
)
async def test_problem_names_the_parameter_when_it_does_not_fit(admin, target, field):
    answer = await admin("GET", target)
    assert (answer.status, answer.fields) == (422, [field])


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PATCH", {"email": "a@b.org"})])
async def test_not_found_when_there_is_no_such_user(admin, method, body):
    answer = await admin(method, "/users/999", body)
    assert (answer.status, answer.json["code"]) == (404, "user_not_found")


async def test_pages_hold_each_user_once_when_read_by_cursor(admin, new_user):
    names = [(await new_user(f"user-{number}")).username for number in range(5)]
    seen, target = [], "/users?limit=2"
    while target:
        page = (await admin("GET", target)).json
        seen.append([user["username"] for user in page["items"]])
        target = f"/users?limit=2&cursor={page['next_cursor']}" if page["next_cursor"] else None
    assert seen == [names[:2], names[2:4], names[4:]]


async def test_own_account_is_shown_when_asked_for_me(app, new_user):
    user = await new_user(role="VIEWER")
    answer = await Caller(app, principal("VIEWER", user.id))("GET", "/users/me")
    assert (answer.status, answer.json["username"]) == (200, "ada")


async def test_email_changes_alone_when_it_is_patched(admin, database, new_user):
    user = await new_user()
    for email in ("ada@example.org", None):
        answer = await admin("PATCH", f"/users/{user.id}", {"email": email})
        assert (answer.status, answer.json["email"]) == (200, email)
    row = await _row(database, user.id)
    assert (row.epoch, row.version, row.role) == (1, 3, "EDITOR")


@pytest.mark.parametrize("change", [{"role": "VIEWER"}, {"enabled": False}, {"password": "another one of twelve"}])
async def test_epoch_rises_when_a_change_must_end_sessions(admin, database, new_user, change):
    user = await new_user()
    assert (await admin("PATCH", f"/users/{user.id}", change)).status == 200
    row = await _row(database, user.id)
    assert (row.epoch, row.version) == (2, 2)
    async with database.reader() as session:
        query = select(OutboxRow.aggregate_version).where(OutboxRow.topic == "user.changed").order_by(OutboxRow.id)
        assert (await session.scalars(query)).all() == [1, 2]


@pytest.mark.parametrize("change", [{}, {"role": "EDITOR"}, {"enabled": True}, {"email": None}])
async def test_nothing_happens_when_a_patch_changes_nothing(admin, database, new_user, change):
    user = await new_user()
    assert (await admin("PATCH", f"/users/{user.id}", change)).status == 200
    assert (await _row(database, user.id)).version == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"role": None}, "role"),
        ({"enabled": None}, "enabled"),
        ({"password": None}, "password"),
        ({"enabled": "maybe"}, "enabled"),
        ({"role": "OWNER"}, "role"),
        ({"password": "short"}, "password"),
        ({"email": "nobody"}, "email"),
        ({"username": "eve"}, "username"),
        ({"epoch": 1}, "epoch"),
        ({"id": 1}, "id"),
    ],
)
async def test_patch_is_refused_when_a_field_does_not_fit(admin, database, new_user, body, field):
    user = await new_user()
    answer = await admin("PATCH", f"/users/{user.id}", body)
    assert (answer.status, answer.fields) == (422, [field])
    assert (await _row(database, user.id)).version == 1


@pytest.mark.parametrize(("change", "field"), [({"role": "EDITOR"}, "role"), ({"enabled": False}, "enabled")])
async def test_last_administrator_stays_when_others_cannot_sign_in(admin, database, new_user, change, field):
    last, other = await new_user("last", "ADMIN"), await new_user("other", "ADMIN")
    assert (await admin("PATCH", f"/users/{other.id}", {"enabled": False})).status == 200
    answer = await admin("PATCH", f"/users/{last.id}", change)
    assert (answer.status, answer.json["code"], answer.fields) == (409, "last_administrator", [field])
    row = await _row(database, last.id)
    assert (row.role, row.enabled, row.version) == ("ADMIN", True, 1)


async def test_one_administrator_remains_when_two_demote_each_other_at_once(admin, new_user):
    users = [await new_user("first", "ADMIN"), await new_user("second", "ADMIN")]
    for _ in range(3):
        for user in users:
            assert (await admin("PATCH", f"/users/{user.id}", {"role": "ADMIN"})).status == 200
        demote = [admin("PATCH", f"/users/{user.id}", {"role": "VIEWER"}) for user in users]
        assert sorted(answer.status for answer in await asyncio.gather(*demote)) == [200, 409]


async def test_password_reaches_no_answer_when_users_are_read(admin, new_user):
    await new_user()
    answer = await admin("GET", "/users")
    assert b"argon2" not in answer.body
    assert b"password" not in answer.body
