"""The same platform as one process and as five: one test body for both."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import uuid4

import pytest
from pydantic import SecretStr

from datamate.app.worker import work
from datamate.clients.caller import Call, Caller
from datamate.clients.data_management import DataManagementClient
from datamate.clients.main import MainClient
from datamate.clients.runtime import ENDED, RuntimeClient
from datamate.contracts.data_management.datasets import CreateDatasetRequest
from datamate.contracts.main.users import CreateUserRequest, UpdateUserRequest
from datamate.contracts.runtime.runs import CreateRunRequest
from datamate.core.errors import InvalidInputError, NotFoundError, PermissionDeniedError, UnauthenticatedError
from datamate.core.ids import new_id
from datamate.platform.http.over_http import BearerAuthenticator, HttpTransport
from factories.accounts import PASSWORD
from factories.databases import create_database, drop_database
from factories.processes import HOST, add_administrator, installation, serving

ONE_PROCESS = ("all",)
PROCESSES = ("main", "data_management", "runtime", "gateway")

ROWS = b'{"text": "A document that is long enough to stay."}\n{"text": "short"}\n{"text": null}\n'
RECIPE = """
process:
  - text_length_filter:
      min_len: 10
"""


@pytest.fixture(scope="module", params=[ONE_PROCESS, PROCESSES], ids=["one process", "processes"])
def services(request):
    return request.param


@pytest.fixture(scope="module")
async def settings(postgres_engine, migrated_template, redis_engine, tmp_path_factory, services):
    """An installation of its own for each topology; its tests use different users."""
    admin_url, name = postgres_engine.url("postgres"), f"test_{uuid4().hex}"
    await create_database(admin_url, name, template=migrated_template)
    settings = installation(postgres_engine.url(name), redis_engine.url, tmp_path_factory.mktemp("home"))
    await add_administrator(settings)
    yield settings
    await drop_database(admin_url, name)


@pytest.fixture(scope="module")
async def url(settings, services):
    """The address of a running platform."""
    async with serving(settings, *services):
        yield f"http://{HOST}:{settings.gateway.port}/api/v1"


@pytest.fixture
async def sign_in(url):
    """Returns a transport that calls as a user."""
    async with AsyncExitStack() as stack:

        async def connect(username, password=PASSWORD):
            anyone = HttpTransport(url)
            stack.push_async_callback(anyone.close)
            token = await MainClient(anyone).login(username, SecretStr(password))
            signed_in = HttpTransport(url, authenticator=BearerAuthenticator(token.access_token))
            stack.push_async_callback(signed_in.close)
            return signed_in

        yield connect


@pytest.fixture
async def admin(sign_in):
    return MainClient(await sign_in("admin"))


@pytest.fixture
async def editor(admin, sign_in):
    """A new editor's account and transport."""
    request = CreateUserRequest(username=f"ada-{new_id()}", password=SecretStr(PASSWORD), role="EDITOR")
    user = await admin.create_user(request)
    return user, await sign_in(user.username)


@asynccontextmanager
async def working(settings, services):
    """Run a worker, which calls services over HTTP where they are processes of their own."""
    if services is PROCESSES:
        addresses = {name: getattr(settings, name) for name in ("main", "data_management", "runtime")}
        changed = {name: each.model_copy(update={"url": each.base_url}) for name, each in addresses.items()}
        settings = settings.model_copy(update=changed)
    stop = asyncio.Event()
    task = asyncio.create_task(work(settings, stop))
    yield
    stop.set()
    await task


@pytest.mark.parametrize(
    "change", [{"role": "VIEWER"}, {"enabled": False}, {"password": SecretStr("another one of twelve")}]
)
async def test_token_is_refused_at_the_next_request_when_its_user_changes(admin, editor, change):
    user, transport = editor
    client = MainClient(transport)
    assert (await client.get_me()).id == user.id
    await admin.update_user(user.id, UpdateUserRequest(**change))
    with pytest.raises(UnauthenticatedError):
        await client.get_me()


async def test_role_decides_when_a_user_asks_for_what_is_not_permitted(editor):
    _, transport = editor
    with pytest.raises(PermissionDeniedError):
        await MainClient(transport).list_users()


async def test_internal_addresses_are_nowhere_when_asked_from_outside(sign_in, admin):
    outside = Caller(await sign_in("admin"))
    for path in ("/internal/principals/1", "/users/../internal/principals/1", "/users/%2e%2e/internal/principals/1"):
        with pytest.raises((NotFoundError, InvalidInputError)):
            await outside.send(Call("GET", path))


async def test_run_ends_with_its_account_when_a_worker_works(settings, services, editor):
    _, transport = editor
    datasets, runs = DataManagementClient(transport), RuntimeClient(transport)
    dataset = await datasets.create_dataset(CreateDatasetRequest(name=new_id()))
    await datasets.put_file(dataset.id, "documents.jsonl", ROWS)
    run = await runs.create_run(CreateRunRequest(recipe=RECIPE, dataset_id=dataset.id))
    async with working(settings, services), asyncio.timeout(60):
        last = [seen async for seen in runs.watch_run(run.id)][-1]
    assert last.status in ENDED
    assert last.error is None, last.error
    assert (last.summary.rows_in, last.summary.kept, last.summary.dropped, last.summary.quarantined) == (3, 1, 1, 1)
    assert (await datasets.get_dataset(dataset.id)).version == last.output_version == 2


async def test_run_fails_with_the_reason_when_its_owner_was_disabled(settings, services, admin, editor):
    user, transport = editor
    datasets, runs = DataManagementClient(transport), RuntimeClient(transport)
    dataset = await datasets.create_dataset(CreateDatasetRequest(name=new_id()))
    await datasets.put_file(dataset.id, "documents.jsonl", ROWS)
    run = await runs.create_run(CreateRunRequest(recipe=RECIPE, dataset_id=dataset.id))
    await admin.update_user(user.id, UpdateUserRequest(enabled=False))
    async with working(settings, services), asyncio.timeout(60):
        last = [task async for task in admin.watch_task(run.task_id)][-1]
    assert (last.status, last.error.code, last.error.message) == (
        "failed",
        "permission_denied",
        f"The user {user.username} is disabled.",
    )
