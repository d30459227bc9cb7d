"""The typed client of the main service over every way to reach it."""

import pytest
from pydantic import SecretStr

from datamate.clients.main import MainClient
from datamate.contracts.main.tasks import FINAL_STATUSES, TaskStatus
from datamate.contracts.main.users import CreateUserRequest, UpdateUserRequest
from datamate.core.errors import ConflictError, InvalidInputError, NotFoundError, UnauthenticatedError
from factories.accounts import PASSWORD

MISSING_TASK = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
async def main(connect) -> MainClient:
    return MainClient(await connect("main"))


async def test_own_account_comes_back_when_asked(main, admin):
    assert await main.get_me() == admin


async def test_token_comes_back_when_password_is_right(main):
    token = await main.login("root", SecretStr(PASSWORD))
    assert token.expires_in > 0
    assert token.access_token.count(".") == 2


async def test_sign_in_is_refused_when_password_is_wrong(main):
    with pytest.raises(UnauthenticatedError):
        await main.login("root", SecretStr("wrong" * 4))


async def test_user_is_made_changed_and_listed_when_asked(main):
    request = CreateUserRequest(username="ann", password=SecretStr(PASSWORD), role="EDITOR", email="ann@example.org")
    made = await main.create_user(request)
    changed = await main.update_user(made.id, UpdateUserRequest(role="VIEWER", enabled=False))
    assert (changed.role, changed.enabled, changed.email) == ("VIEWER", False, "ann@example.org")
    assert await main.get_user(made.id) == changed
    assert [user.username async for user in main.iterate_users(page_size=1)] == ["root", "ann"]


async def test_conflict_keeps_its_code_when_name_is_taken(main):
    request = CreateUserRequest(username="root", password=SecretStr(PASSWORD), role="VIEWER")
    with pytest.raises(ConflictError) as caught:
        await main.create_user(request)
    assert caught.value.code == "username_taken"
    assert caught.value.__notes__[0].startswith("trace id: ")


async def test_fields_at_fault_are_named_when_input_is_wrong(main):
    unknown_role = CreateUserRequest(username="bob", password=SecretStr(PASSWORD), role="NOBODY")
    with pytest.raises(InvalidInputError) as caught:
        await main.create_user(unknown_role)
    assert [error.field for error in caught.value.errors] == ["role"]


async def test_roles_are_listed_when_asked(main):
    assert {role.name for role in (await main.list_roles()).items} >= {"ADMIN", "EDITOR", "VIEWER"}


async def test_task_is_missing_when_there_is_none(main):
    assert [task async for task in main.iterate_tasks(status=TaskStatus.QUEUED)] == []
    for call in (main.get_task, main.cancel_task):
        with pytest.raises(NotFoundError):
            await call(MISSING_TASK)
    with pytest.raises(NotFoundError):
        async for _task in main.watch_task(MISSING_TASK):
            pass


async def test_task_is_followed_to_its_end_when_it_is_cancelled(main, queued_task):
    states = []
    async for task in main.watch_task(queued_task):
        states.append(task.status)
        if len(states) == 1:
            await main.cancel_task(queued_task)
    assert states[0] is TaskStatus.QUEUED
    assert states[-1] in FINAL_STATUSES
    assert [task.id async for task in main.iterate_tasks(page_size=1)] == [queued_task]
