"""Services as processes: what they need to start, what they do beside requests, how they reach each other."""

import asyncio
import socket

import aiohttp
import pytest
from pydantic import SecretStr

from datamate.app.serve import serve
from datamate.config.redis import RedisSettings
from datamate.core.errors import ConfigurationError, UnavailableError
from factories.accounts import PASSWORD
from factories.processes import HOST, serving


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


async def sign_in(http, url):
    async with http.post(f"{url}/auth/login", json={"username": "admin", "password": PASSWORD}) as answer:
        assert answer.status == 200, await answer.text()
        return {"authorization": f"Bearer {(await answer.json())['access_token']}"}


async def get(http, url, headers):
    async with http.get(url, headers=headers) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize(
    ("service", "section", "variable"),
    [
        ("main", "database", "DATAMATE_DATABASE__URL"),
        ("main", "redis", "DATAMATE_REDIS__URL"),
        ("main", "jwt", "DATAMATE_JWT__SECRET"),
        ("main", "internal", "DATAMATE_INTERNAL__SECRET"),
        ("gateway", "redis", "DATAMATE_REDIS__URL"),
        ("gateway", "jwt", "DATAMATE_JWT__SECRET"),
        ("gateway", "internal", "DATAMATE_INTERNAL__SECRET"),
    ],
)
async def test_error_names_the_variable_when_it_is_missing(settings, service, section, variable):
    changed = settings.model_copy(update={section: type(getattr(settings, section))()})
    with pytest.raises(ConfigurationError, match=variable):
        await serve(changed, service, asyncio.Event())


async def test_error_says_what_to_do_when_the_database_was_never_migrated(empty_database_url, settings_for):
    with pytest.raises(ConfigurationError, match="platform, main yet; run `datamate migrate` first"):
        await serve(settings_for(empty_database_url), "main", asyncio.Event())


async def test_error_names_the_place_when_postgresql_is_away(settings_for):
    settings = settings_for("postgresql://someone:secret@127.0.0.1:1/datamate")
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:1") as caught:
        await serve(settings, "main", asyncio.Event())
    assert "secret" not in str(caught.value)


async def test_error_names_the_variable_when_postgresql_refuses_the_user(own_database_url, settings_for):
    settings = settings_for(own_database_url.replace("datamate@", "stranger:secret@"))
    with pytest.raises(ConfigurationError, match="Check DATAMATE_DATABASE__URL") as caught:
        await serve(settings, "main", asyncio.Event())
    assert "secret" not in str(caught.value)


async def test_error_names_the_variable_when_redis_refuses_the_password(settings, redis_engine):
    url = SecretStr(redis_engine.url.replace("unix://", "unix://:wrong@"))
    changed = settings.model_copy(update={"redis": RedisSettings(url=url)})
    with pytest.raises(ConfigurationError, match="DATAMATE_REDIS__URL"):
        await serve(changed, "main", asyncio.Event())


async def test_error_names_the_port_when_it_is_in_use(settings):
    with socket.socket() as taken:
        taken.bind((HOST, settings.main.port))
        taken.listen()
        with pytest.raises(ConfigurationError, match=str(settings.main.port)):
            await serve(settings, "main", asyncio.Event())


async def test_service_starts_when_redis_is_away(settings, administrator, http):
    changed = settings.model_copy(update={"redis": RedisSettings(url=SecretStr("redis://127.0.0.1:1"))})
    url = f"http://{HOST}:{settings.main.port}"
    async with serving(changed, "main"):
        assert (await get(http, f"{url}/health/ready", {}))[1]["missing"] == ["redis"]
        await sign_in(http, url)


async def test_events_reach_redis_when_main_serves(settings, administrator, redis):
    async with serving(settings, "main"):
        assert await redis.xread({"user.changed": "0"}, count=1, block=5000)


async def test_gateway_and_main_work_together_when_they_are_processes_of_their_own(settings, administrator, http):
    url = f"http://{HOST}:{settings.gateway.port}/api/v1"
    async with serving(settings, "main", "gateway"):
        headers = await sign_in(http, url)
        status, me = await get(http, f"{url}/users/me", headers)
        assert (status, me["username"]) == (200, "admin")
        status, problem = await get(http, f"{url}/data-management/datasets", headers)
        assert (status, problem["code"]) == (503, "unavailable")
