"""Opens what a process needs and connects its services: by direct calls inside it, over HTTP to others."""

from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from functools import cached_property

from starlette.types import ASGIApp

from datamate.app.required import access_secret, database_url, internal_secret
from datamate.app.services import SERVICES
from datamate.config.root import Settings
from datamate.platform.cache import Cache
from datamate.platform.db import Database
from datamate.platform.http.exchange import ServiceTransport
from datamate.platform.http.in_process import InProcessTransport
from datamate.platform.http.service import ServiceResources
from datamate.platform.redis import Redis, connect_redis
from datamate.platform.security import AccessTokens, InternalTokens
from datamate.storage import ObjectStore, open_store


class Wiring:
    """The parts of one process, each made when it is first needed and closed at its end.

    Attributes:
        settings: The configuration of the process.
    """

    def __init__(self, settings: Settings, stack: AsyncExitStack, *, mounted: Iterable[str]) -> None:
        """Make the wiring of a process; no part is made yet.

        Args:
            settings: The configuration of the process.
            stack: Closes the parts.
            mounted: Names of those that run in this process; the others are called over HTTP.
        """
        self.settings = settings
        self._stack = stack
        self._services = {entry.name: entry for entry in SERVICES}
        self._mounted = frozenset(mounted)
        self._apps: dict[str, ASGIApp] = {}
        self._transports: dict[tuple[str, str], ServiceTransport] = {}

    @cached_property
    def resources(self) -> ServiceResources:
        """What every service works with.

        Raises:
            ConfigurationError: An address or a secret is missing; the message names the variable.
        """
        return ServiceResources(
            settings=self.settings,
            database=self.database,
            redis=self.redis,
            cache=Cache(self.redis),
            internal_tokens=self.internal_tokens,
        )

    @cached_property
    def database(self) -> Database:
        """PostgreSQL; its first connection is opened on first use."""
        database = Database(self.settings.database, database_url(self.settings))
        self._stack.push_async_callback(database.close)
        return database

    @cached_property
    def redis(self) -> Redis:
        """Redis with the patience of the request path."""
        return self._connect_redis(for_requests=True)

    @cached_property
    def background_redis(self) -> Redis:
        """Redis with the patience of background loops."""
        return self._connect_redis(for_requests=False)

    @cached_property
    def internal_tokens(self) -> InternalTokens:
        """What parts of DataMate identify themselves with."""
        return InternalTokens(internal_secret(self.settings), self.settings.internal.expiration)

    @cached_property
    def access_tokens(self) -> AccessTokens:
        """What clients identify themselves with."""
        return AccessTokens(access_secret(self.settings), self.settings.jwt.expiration)

    @cached_property
    def store(self) -> ObjectStore:
        """Where the bytes of datasets are kept."""
        store = open_store(self.settings.storage, self.settings.home_folder)
        self._stack.push_async_callback(store.close)
        return store

    def app(self, name: str) -> ASGIApp:
        """Return the application of a service that runs in this process."""
        if name not in self._apps:
            self._apps[name] = self._services[name].build(self)
        return self._apps[name]

    def is_mounted(self, name: str) -> bool:
        """Return whether a service runs in this process."""
        return name in self._mounted

    def base_url(self, name: str) -> str:
        """Return where a service that runs in another process is reached."""
        return self._services[name].address(self.settings).base_url

    def transport(self, name: str, *, caller: str) -> ServiceTransport:
        """Return how one part of DataMate calls a service.

        Args:
            name: The service that is called.
            caller: The part that calls, as the service will see it.
        """
        key = (name, caller)
        if key not in self._transports:
            transport = self._connect(name, caller)
            self._stack.push_async_callback(transport.close)
            self._transports[key] = transport
        return self._transports[key]

    def closed_at_end(self, close: Callable[[], None]) -> None:
        """Have something closed at the end of the process."""
        self._stack.callback(close)

    def _connect(self, name: str, caller: str) -> ServiceTransport:
        if self.is_mounted(name):
            return InProcessTransport(self.app(name), caller)
        # aiohttp takes 0.11 s of CPU to import, which a process that holds all services can do without.
        from datamate.platform.http.over_http import InternalHttpTransport

        return InternalHttpTransport(self.base_url(name), service=name, caller=caller, tokens=self.internal_tokens)

    def _connect_redis(self, *, for_requests: bool) -> Redis:
        redis = connect_redis(self.settings.redis, for_requests=for_requests)
        self._stack.push_async_callback(redis.aclose)
        return redis
