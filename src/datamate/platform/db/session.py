"""The session that services work with: SQLAlchemy's, plus events and work tied to the commit."""

from collections.abc import Awaitable, Callable
from typing import NoReturn

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from datamate.contracts.events import Event
from datamate.platform.db.outbox import outbox_row

CommitHook = Callable[[], Awaitable[None]]


class Session(AsyncSession):
    """One unit of work. The scope that opened it commits or rolls back; nobody else calls `commit()`."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Open a session on `engine`; rows stay readable after the commit."""
        super().__init__(engine, expire_on_commit=False)
        self._before_commit: list[CommitHook] = []
        self._after_commit: list[CommitHook] = []

    def publish(self, event: Event) -> None:
        """Store an event in this transaction; a relay sends it once the transaction has committed."""
        self.add(outbox_row(event))

    def before_commit(self, hook: CommitHook) -> None:
        """Have `hook` awaited just before the commit; when it raises, nothing is committed."""
        self._before_commit.append(hook)

    def after_commit(self, hook: CommitHook) -> None:
        """Have `hook` awaited right after the commit. It must not raise, and a crash may lose it."""
        self._after_commit.append(hook)

    async def complete(self) -> None:
        """Run the hooks around the commit. Only the scope that opened the session calls this."""
        for hook in self._before_commit:
            await hook()
        await self.commit()
        for hook in self._after_commit:
            await hook()


class ReadOnlySession(Session):
    """A session without a transaction: each query sees what is committed when it starts."""

    def add(self, instance: object, *, _warn: bool = True) -> NoReturn:
        """Refuse: nothing would commit it."""
        raise TypeError(f"{type(instance).__name__} was added to a read session; use Database.transaction().")
