"""Signing in: who gets a token, and that a refusal does not tell why."""

import argon2
import pytest
from sqlalchemy import update

from datamate.platform.security import PasswordHasher
from datamate.services.main.app import create_app
from datamate.services.main.users.models import UserRow
from factories.accounts import PASSWORD
from factories.calls import Caller


class CountingHasher(PasswordHasher):
    """Counts what costs time, and lets a test act while a password is checked."""

    def __init__(self):
        super().__init__()
        self.verified = 0
        self.meanwhile = None

    async def verify(self, password, stored_hash):
        self.verified += 1
        matches = await super().verify(password, stored_hash)
        if self.meanwhile is not None:
            await self.meanwhile()
        return matches


@pytest.fixture
def passwords():
    hasher = CountingHasher()
    yield hasher
    hasher.close()


@pytest.fixture
def anyone(app):
    return Caller(app)


def login(anyone, username="ada", password=PASSWORD):
    return anyone("POST", "/auth/login", {"username": username, "password": password})


async def change(database, user_id, **values):
    async with database.transaction() as session:
        await session.execute(update(UserRow).where(UserRow.id == user_id).values(**values))


async def read(database, user_id):
    async with database.reader() as session:
        return await session.get(UserRow, user_id)


async def test_token_names_user_and_epoch_when_password_is_right(anyone, resources, new_user):
    user = await new_user()
    answer = await login(anyone, "ADA")
    assert answer.status == 200
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 900)
    claims = resources.access_tokens.verify(answer.json["access_token"])
    assert (claims.user_id, claims.epoch) == (str(user.id), 1)


async def test_password_is_the_same_when_typed_in_another_unicode_form(anyone, admin):
    body = {"username": "zoe", "password": "crème brûlée \u00e9t\u00e9", "role": "VIEWER"}
    assert (await admin("POST", "/users", body)).status == 201
    assert (await login(anyone, "zoe", "cre\u0300me bru\u0302le\u0301e e\u0301te\u0301")).status == 200


async def test_refusal_is_the_same_when_name_password_or_admission_is_wrong(anyone, database, passwords, new_user):
    disabled = await new_user("disabled")
    await new_user()
    await change(database, disabled.id, enabled=False)
    attempts = [("nobody", PASSWORD), ("ada", "wrong password"), ("disabled", PASSWORD), ("\u212aen", PASSWORD)]
    answers = [await login(anyone, *attempt) for attempt in attempts]
    problems = [{**answer.json, "trace_id": ""} for answer in answers]
    assert all(problem == problems[0] for problem in problems)
    assert (problems[0]["status"], problems[0]["code"], problems[0]["errors"]) == (401, "wrong_credentials", [])
    assert all(answer.headers["www-authenticate"] == 'Bearer realm="datamate"' for answer in answers)
    # One password hash each: it takes 30 ms, whatever else differs is lost in it.
    assert passwords.verified == len(attempts)


async def test_last_login_is_noted_only_when_somebody_signed_in(anyone, database, new_user):
    user = await new_user()
    await login(anyone, password="wrong password")
    assert (await read(database, user.id)).last_login_at is None
    await login(anyone)
    row = await read(database, user.id)
    assert row.last_login_at is not None
    assert (row.epoch, row.version) == (1, 1)


@pytest.mark.parametrize("values", [{"enabled": False}, {"epoch": 2}])
async def test_no_token_is_given_when_the_account_changes_meanwhile(anyone, database, passwords, new_user, values):
    user = await new_user()
    passwords.meanwhile = lambda: change(database, user.id, **values)
    assert (await login(anyone)).status == 401
    assert (await read(database, user.id)).last_login_at is None


async def test_hash_is_replaced_when_it_was_made_with_weaker_parameters(anyone, database, new_user):
    user = await new_user()
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    await change(database, user.id, password=weak)
    for _ in range(2):
        assert (await login(anyone)).status == 200
    assert (await read(database, user.id)).password.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["username", "password"]),
        ({"username": "ada"}, ["password"]),
        ({"username": "", "password": PASSWORD}, ["username"]),
        ({"username": "x" * 51, "password": PASSWORD}, ["username"]),
        ({"username": "ada", "password": "x" * 1025}, ["password"]),
        ({"username": ["ada"], "password": 5}, ["username", "password"]),
        ({"username": "ada", "password": PASSWORD, "role": "ADMIN"}, ["role"]),
    ],
)
async def test_problem_names_the_field_when_it_does_not_fit(anyone, body, fields):
    answer = await anyone("POST", "/auth/login", body)
    assert (answer.status, answer.fields) == (422, fields)
    assert PASSWORD.encode() not in answer.body


async def test_sign_in_works_when_redis_is_away(anyone, app, resources, redis_engine, new_user):
    await new_user()
    redis_engine.stop()
    try:
        assert (await login(Caller(create_app(resources)))).status == 200
    finally:
        redis_engine.start()
