"""The real services, reached in three ways: in the same process, over HTTP, and through the gateway as a user."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from datamate.app.wiring import Wiring
from datamate.clients.main import MainClient
from datamate.clients.transport import Transport
from datamate.config.database import DatabaseSettings
from datamate.config.identity import InternalSettings, JwtSettings
from datamate.config.redis import RedisSettings
from datamate.config.root import Settings
from datamate.config.storage import StorageSettings
from datamate.contracts.main.users import CreateUserRequest, User
from datamate.platform.http.in_process import InProcessTransport
from datamate.platform.http.over_http import InternalHttpTransport
from datamate.platform.tasks import enqueue
from datamate.sdk.server_transport import ServerTransport
from factories.accounts import PASSWORD
from factories.calls import principal
from factories.servers import serving
from factories.tasks import SUM, Sum

SERVICES = ("gateway", "main", "data_management", "runtime")

Connect = Callable[[str], Awaitable[Transport]]
"""Returns a transport to a service, for calls as the administrator of `admin`."""


@pytest.fixture
async def wiring(database_url: str, redis: Redis, redis_settings: RedisSettings, tmp_path) -> AsyncIterator[Wiring]:
    settings = Settings(
        home=tmp_path / "home",
        database=DatabaseSettings(url=SecretStr(database_url)),
        redis=redis_settings,
        jwt=JwtSettings(secret=SecretStr("j" * 32)),
        internal=InternalSettings(secret=SecretStr("i" * 32)),
        storage=StorageSettings(url=f"file://{tmp_path}/objects"),
    )
    async with AsyncExitStack() as stack:
        yield Wiring(settings, stack, mounted=SERVICES)


@pytest.fixture
async def admin(wiring: Wiring) -> User:
    """An administrator with a row, so that tasks and datasets can belong to it."""
    main = MainClient(InProcessTransport(wiring.app("main"), "gateway").as_principal(principal("ADMIN")))
    return await main.create_user(CreateUserRequest(username="root", password=SecretStr(PASSWORD), role="ADMIN"))


@pytest.fixture
async def queued_task(wiring: Wiring, admin: User) -> str:
    """A task of the administrator that no worker claims."""
    async with wiring.database.transaction() as session:
        return await enqueue(session, SUM, Sum(numbers=[1]), created_by=str(admin.id))


@pytest.fixture(params=["in_process", "http", "gateway"])
async def connect(request: pytest.FixtureRequest, wiring: Wiring, admin: User) -> AsyncIterator[Connect]:
    async with AsyncExitStack() as stack:

        async def in_process(service: str) -> Transport:
            return InProcessTransport(wiring.app(service), "gateway").as_principal(principal("ADMIN", admin.id))

        async def over_http(service: str) -> Transport:
            port = await stack.enter_async_context(serving(wiring.app(service)))
            transport = InternalHttpTransport(
                f"http://127.0.0.1:{port}", service=service, caller="gateway", tokens=wiring.internal_tokens
            )
            stack.push_async_callback(transport.close)
            return transport.as_principal(principal("ADMIN", admin.id))

        async def through_gateway(_service: str) -> Transport:
            port = await stack.enter_async_context(serving(wiring.app("gateway")))
            root = f"http://127.0.0.1:{port}/api/v1"
            signing_in = ServerTransport(root, None)
            token = await MainClient(signing_in).login("root", SecretStr(PASSWORD))
            await signing_in.close()
            transport = ServerTransport(root, token.access_token)
            stack.push_async_callback(transport.close)
            return transport

        yield {"in_process": in_process, "http": over_http, "gateway": through_gateway}[request.param]
