"""Checks of what answers: PostgreSQL, Redis, the tables, the object store and the server."""

import asyncio
from collections.abc import AsyncIterator

from pydantic import SecretStr

from datamate.app.supervisor.diagnosis.check import Check, attempt, fail, ok, warn
from datamate.app.supervisor.engines import embedded_postgres, embedded_redis
from datamate.app.supervisor.home import Home
from datamate.app.supervisor.http_probe import answers_ok
from datamate.app.supervisor.platform import DATAMATE
from datamate.config.environment import child_environment
from datamate.config.root import Settings
from datamate.core.errors import DatamateError
from datamate.platform.db.database import connect
from datamate.platform.embedded.binaries import MIN_REDIS
from datamate.platform.embedded.versions import redis_version
from datamate.storage import open_store

_OLDEST_POSTGRES = 150_000
_OUTPUT_LINES_SHOWN = 3


async def service_checks(home: Home, settings: Settings) -> AsyncIterator[Check]:
    """Yield what is found about the servers; embedded ones are looked for only while the supervisor runs."""
    runs = home.holder is not None
    try:
        settings = _with_addresses(home, settings) if runs else settings
    except DatamateError as error:
        yield fail("engines", error.detail)
        return
    if settings.database.url is not None:
        yield await attempt("postgres", lambda: _postgres(settings))
        yield await attempt("tables", lambda: _tables(settings))
    if settings.redis.url is not None:
        yield await attempt("redis", lambda: _redis(settings))
    if settings.storage.url is not None or (home.path / "objects").exists():
        yield await attempt("object store", lambda: _store(home, settings))
    if runs:
        yield await attempt("server", lambda: _server(settings))


def _with_addresses(home: Home, settings: Settings) -> Settings:
    """Return the settings with the addresses of the embedded engines."""
    postgres, redis = embedded_postgres(home, settings), embedded_redis(home, settings)
    changed: dict[str, object] = {}
    if postgres is not None:
        changed["database"] = settings.database.model_copy(update={"url": SecretStr(postgres.url)})
    if redis is not None:
        changed["redis"] = settings.redis.model_copy(update={"url": SecretStr(redis.url)})
    return settings.model_copy(update={"home": home.path, **changed})


async def _postgres(settings: Settings) -> Check:
    url = settings.database.url
    connection = await connect("" if url is None else url.get_secret_value(), application_name="datamate doctor")
    try:
        number = int(await connection.fetchval("SHOW server_version_num"))
        version = await connection.fetchval("SHOW server_version")
        used = await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
        most = int(await connection.fetchval("SHOW max_connections"))
    finally:
        await connection.close()
    if number < _OLDEST_POSTGRES:
        return warn("postgres", f"PostgreSQL {version} is older than any that was tried.", "Use 15 or newer.")
    return ok("postgres", f"PostgreSQL {version}, {used} of {most} connections in use")


async def _redis(settings: Settings) -> Check:
    version = await redis_version(settings.redis)
    if tuple(int(part) for part in version.split(".")[:2]) < MIN_REDIS:
        return fail("redis", f"Redis {version} is too old.", "Use 6.2 or newer.")
    return ok("redis", f"Redis {version}")


async def _tables(settings: Settings) -> Check:
    """Ask the command that migrates, in a process of its own: it reads every service."""
    process = await asyncio.create_subprocess_exec(
        *DATAMATE,
        "migrate",
        "--check",
        env=child_environment(settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode == 0:
        return ok("tables", "at the newest schema")
    lines = "; ".join(output.decode("utf-8", "replace").splitlines()[-_OUTPUT_LINES_SHOWN:])
    return fail("tables", lines, "Run `datamate migrate`; `datamate up` does it at every start.")


async def _store(home: Home, settings: Settings) -> Check:
    store = open_store(settings.storage, home.path)
    try:
        await store.check()
    finally:
        await store.close()
    return ok("object store", settings.storage.url or str(home.path / "objects"))


async def _server(settings: Settings) -> Check:
    gateway = settings.gateway
    where = f"http://{gateway.host}:{gateway.port}"
    if await answers_ok(gateway.host, gateway.port, "/health/ready"):
        return ok("server", f"{where} is ready")
    return fail("server", f"{where} does not answer as ready.", f"See {settings.home_folder}/logs/server.log.")
