"""The whole platform on this machine: engines, migrations, server and workers, from a `Settings` to an address."""

import errno
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import SecretStr

from datamate.app.supervisor.administrator import FirstAdministrator, PasswordWatch
from datamate.app.supervisor.engines import embedded_postgres, embedded_redis, postgres_spec, redis_spec
from datamate.app.supervisor.errors import ProcessStartError
from datamate.app.supervisor.home import Home
from datamate.app.supervisor.http_probe import answers_ok, local_address
from datamate.app.supervisor.log_file import LogFile
from datamate.app.supervisor.ports import free_port, listens, require_free
from datamate.app.supervisor.readiness import ReadySocket
from datamate.app.supervisor.report import LogReporter, Reporter, Reporters, SilentReporter
from datamate.app.supervisor.spec import ChildSpec, RestartPolicy
from datamate.app.supervisor.supervisor import Supervisor
from datamate.config.environment import child_environment
from datamate.config.root import Settings
from datamate.core.errors import DatamateError, StorageFullError
from datamate.platform.embedded.folders import remove_short_folder
from datamate.platform.embedded.postgres import PostgresServer
from datamate.platform.embedded.redis import RedisServer
from datamate.platform.embedded.secret_file import keep_secret

# -P: what lies in the folder where the user stands is not imported.
DATAMATE = (sys.executable, "-P", "-m", "datamate")

_READY_PATH = "/health/ready"
_TOOL_STOP_SECONDS = 5.0
_SERVER_STOP_SECONDS = 10.0
_WORKER_STOP_SECONDS = 20.0  # its own limits for tasks under way are 5 s and 10 s


class Platform:
    """A running platform; use it as an async context manager, from the thread that stays until its end.

    The kernel ties the processes to the thread that starts them: when that ends, they do.

    Attributes:
        settings: The settings as the processes have them: addresses, ports and secrets filled in once started.
        first_administrator: The administrator that this start made, or None if it made none.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        reporter: Reporter | None = None,
        policy: RestartPolicy | None = None,
        program: Sequence[str] = DATAMATE,
    ) -> None:
        """Describe a platform; nothing is touched before the start.

        Args:
            settings: What to run; `settings.home` says where, and a gateway port of 0 takes any free one.
            reporter: Who is told what happens; nobody if None. DATAMATE_HOME/logs/supervisor.log has it all.
            policy: How soon a process that died is started again.
            program: How the `datamate` command is run.
        """
        self.settings = settings
        self.first_administrator: FirstAdministrator | None = None
        self._home = Home(settings.home_folder)
        self._reporter = reporter or SilentReporter()
        self._policy = policy
        self._program = tuple(program)
        self._supervisor: Supervisor | None = None
        self._journal: LogFile | None = None
        self._ready: ReadySocket | None = None

    async def __aenter__(self) -> Self:
        """Start the platform and wait until it is ready."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the platform."""
        await self.stop()

    @property
    def url(self) -> str:
        """Where the gateway answers."""
        host = local_address(self.settings.gateway.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.settings.gateway.port}"

    @property
    def home(self) -> Home:
        """The folder of this installation."""
        return self._home

    @property
    def process_ids(self) -> dict[str, int]:
        """The processes that run now, by name."""
        children = [] if self._supervisor is None else self._supervisor.children
        return {child.spec.name: child.pid for child in children if child.pid is not None}

    async def start(self) -> None:
        """Start everything and wait until it is ready; what was started is stopped again if that fails.

        Raises:
            HomeInUseError: Another platform runs on this folder.
            PortInUseError: The port of the gateway, or of the embedded PostgreSQL, is taken.
            ProcessStartError: A process did not become ready; the message has the end of its log.
            DatamateError: Anything else that is wrong with the installation.
        """
        self._home.acquire()
        try:
            self._check_ports()
            await self._start_processes()
        except BaseException as error:
            await self.stop()
            if isinstance(error, OSError):
                raise _start_error(error, self._home.path) from error
            raise

    async def stop(self) -> None:
        """Stop everything in the reverse order; nothing happens if nothing runs."""
        if self._supervisor is not None:
            await self._supervisor.stop()
            self._supervisor = None
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        if self._ready is not None:
            self._ready.close()
            self._ready = None
        for engine in ("postgres", "redis"):
            remove_short_folder(self._home.path, engine)
        self._home.release()

    def hurry(self) -> None:
        """Make a `stop` that is under way end at once."""
        if self._supervisor is not None:
            self._supervisor.hurry.set()

    def _check_ports(self) -> None:
        gateway = self.settings.gateway
        require_free(gateway.host, gateway.port, setting="DATAMATE_GATEWAY__PORT")
        if self.settings.embedded.postgres_port is not None:
            require_free("127.0.0.1", self.settings.embedded.postgres_port, setting="DATAMATE_EMBEDDED__POSTGRES_PORT")

    async def _start_processes(self) -> None:
        self._ready = ReadySocket.where_supported()
        password = PasswordWatch(self._home, self.settings)
        supervisor = self._new_supervisor()
        postgres, redis = embedded_postgres(self._home, self.settings), embedded_redis(self._home, self.settings)
        await supervisor.start(_engine_specs(postgres, redis), what=_first_work(postgres))
        self.settings = self._completed(postgres, redis)
        await supervisor.run(self._command("migrate", "migrate"))
        await supervisor.start([self._server(), *self._workers()])
        self.first_administrator = password.first_administrator()
        self._home.mark_installed()

    def _new_supervisor(self) -> Supervisor:
        max_bytes = self.settings.embedded.log_max_bytes
        self._journal = LogFile(self._home.logs / "supervisor.log", max_bytes=max_bytes)
        reporter = Reporters([LogReporter(self._journal), self._reporter])
        self._supervisor = Supervisor(self._home.logs, reporter, log_max_bytes=max_bytes, policy=self._policy)
        return self._supervisor

    def _completed(self, postgres: PostgresServer | None, redis: RedisServer | None) -> Settings:
        """Return the settings with all that the processes must agree on."""
        gateway = self.settings.gateway
        sections: dict[str, dict[str, object]] = {
            "jwt": {"secret": self._secret(self.settings.jwt.secret, "jwt")},
            "internal": {"secret": self._secret(self.settings.internal.secret, "internal")},
            "gateway": {"port": gateway.port or free_port(gateway.host)},
        }
        if postgres is not None:
            sections["database"] = {"url": SecretStr(postgres.url)}
        if redis is not None:
            sections["redis"] = {"url": SecretStr(redis.url)}
        changed = {name: getattr(self.settings, name).model_copy(update=fields) for name, fields in sections.items()}
        return self.settings.model_copy(update={"home": self._home.path, **changed})

    def _secret(self, configured: SecretStr | None, name: str) -> SecretStr:
        return configured or SecretStr(keep_secret(self._home.secrets / name))

    def _server(self) -> ChildSpec:
        gateway = self.settings.gateway

        async def is_ready(pid: int) -> bool:
            # The port was free a moment ago; whoever took it since must not pass for our server.
            return listens(pid, gateway.port) and await answers_ok(gateway.host, gateway.port, _READY_PATH)

        return self._command("server", "serve", "all", is_ready=is_ready, stop_seconds=_SERVER_STOP_SECONDS)

    def _workers(self) -> list[ChildSpec]:
        names = [f"worker-{number}" for number in range(1, self.settings.worker.processes + 1)]
        specs = [self._command(name, "worker", stop_seconds=_WORKER_STOP_SECONDS) for name in names]
        ready = self._ready
        if ready is None:
            return specs

        async def is_ready(pid: int) -> bool:
            return ready.heard_from(pid)

        return [
            replace(spec, is_ready=is_ready, environment={**spec.environment, **ready.environment}) for spec in specs
        ]

    def _command(
        self,
        name: str,
        *arguments: str,
        is_ready: Callable[[int], Awaitable[bool]] | None = None,
        stop_seconds: float = _TOOL_STOP_SECONDS,
    ) -> ChildSpec:
        """Return how to run a command of DataMate as a process of its own."""
        return ChildSpec(
            name=name,
            argv=(*self._program, *arguments),
            environment=child_environment(self.settings),
            folder=Path.cwd(),
            lock=self._home.run / f"{name}.lock",
            is_ready=is_ready,
            stop_seconds=stop_seconds,
        )


def _start_error(error: OSError, home: Path) -> DatamateError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageFullError(f"There is no space left in {home}; free some and start again.")
    return ProcessStartError(f"The platform cannot be started in {home}: {error}.")


def _engine_specs(postgres: PostgresServer | None, redis: RedisServer | None) -> list[ChildSpec]:
    specs = [] if postgres is None else [postgres_spec(postgres)]
    return specs if redis is None else [*specs, redis_spec(redis)]


def _first_work(postgres: PostgresServer | None) -> Callable[[ChildSpec], str]:
    new_database = postgres is not None and postgres.is_new
    return lambda spec: "making a new database" if spec.name == "postgres" and new_database else "starting"
