"""The embedded engines as processes of the supervisor."""

import signal
from dataclasses import replace

from datamate.app.supervisor.home import Home
from datamate.app.supervisor.spec import ChildSpec
from datamate.config.root import Settings
from datamate.platform.embedded.command import ENGINE_ENVIRONMENT, EngineCommand
from datamate.platform.embedded.postgres import PostgresServer
from datamate.platform.embedded.redis import RedisServer

# Beside its pool a process holds a few connections of its own: heartbeats, the relay, the migrations.
_CONNECTIONS_BESIDE_POOL = 5
_LEAST_CONNECTIONS = 100

_POSTGRES_READY_SECONDS = 600.0  # after a crash it first replays up to 512 MB of its log
_POSTGRES_STOP_SECONDS = 30.0
_REDIS_READY_SECONDS = 120.0


def embedded_postgres(home: Home, settings: Settings) -> PostgresServer | None:
    """Return the PostgreSQL of this installation, or None if the settings name a server elsewhere."""
    if settings.database.url is not None:
        return None
    processes = 1 + settings.worker.processes
    each = settings.database.pool_max_connections + _CONNECTIONS_BESIDE_POOL
    return PostgresServer(
        home.path,
        secrets=home.secrets,
        max_connections=max(_LEAST_CONNECTIONS, processes * each),
        tcp_port=settings.embedded.postgres_port,
    )


def embedded_redis(home: Home, settings: Settings) -> RedisServer | None:
    """Return the Redis of this installation, or None if the settings name a server elsewhere."""
    return None if settings.redis.url is not None else RedisServer(home.path, secrets=home.secrets)


def postgres_spec(server: PostgresServer) -> ChildSpec:
    """Return how PostgreSQL is started and stopped."""
    spec = _spec("postgres", server, server.command())
    return replace(
        spec,
        hurry_signal=signal.SIGQUIT,  # ends without a checkpoint; the next start replays the log
        stop_seconds=_POSTGRES_STOP_SECONDS,
        ready_seconds=_POSTGRES_READY_SECONDS,
    )


def redis_spec(server: RedisServer) -> ChildSpec:
    """Return how Redis is started and stopped."""
    return replace(_spec("redis", server, server.command()), ready_seconds=_REDIS_READY_SECONDS)


def _spec(name: str, server: PostgresServer | RedisServer, command: EngineCommand) -> ChildSpec:
    server.make_folder()
    return ChildSpec(
        name=name,
        argv=command.argv,
        environment=ENGINE_ENVIRONMENT,
        folder=command.folder,
        lock=server.lock,
        is_ready=lambda _: server.is_ready(),
        prepare=server.prepare,
        account=command.account,
        stdin=command.stdin,
        stop_signal=command.stop_signal,
        # When the supervisor is killed, engines still end cleanly and leave nothing to repair.
        death_signal=command.stop_signal,
    )
