"""Declaring who listens to which event."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Generic, TypeVar

from datamate.contracts.events import Event
from datamate.core.errors import ConfigurationError
from datamate.platform.db.session import Session

EventT = TypeVar("EventT", bound=Event)


@dataclass(frozen=True, slots=True)
class Subscriber(Generic[EventT]):
    """A function that acts once per service on each event, in a transaction of its own.

    Attributes:
        name: Tells it from the other subscribers of its service; renaming it makes it a new one.
        event: The class of the event.
        handle: `async def handle(event, session)`; may run again for the same event if it failed.
    """

    name: str
    event: type[EventT]
    handle: Callable[[EventT, Session], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class BroadcastSubscriber(Generic[EventT]):
    """A function that every replica calls for each event it hears of while it runs.

    Attributes:
        event: The class of the event.
        handle: `async def handle(event)`; must be safe to repeat.
    """

    event: type[EventT]
    handle: Callable[[EventT], Awaitable[None]]


def subscribe(
    event: type[EventT],
) -> Callable[[Callable[[EventT, Session], Awaitable[None]]], Subscriber[EventT]]:
    """Declare a function that acts once per service on each event of a class.

    @subscribe(TaskCompleted)
    async def on_task_completed(event: TaskCompleted, session: Session) -> None: ...

    The effect is written through `session`, in one transaction with the note that the event was handled.
    """

    def declare(function: Callable[[EventT, Session], Awaitable[None]]) -> Subscriber[EventT]:
        return Subscriber(_name(function), event, function)

    return declare


def broadcast(event: type[EventT]) -> Callable[[Callable[[EventT], Awaitable[None]]], BroadcastSubscriber[EventT]]:
    """Declare a function that every replica calls for each event of a class, as when dropping what it remembers.

    @broadcast(UserChanged)
    async def on_user_changed(event: UserChanged) -> None: ...

    A bound method works too: `broadcast(UserChanged)(self.forget)`.
    """

    def declare(function: Callable[[EventT], Awaitable[None]]) -> BroadcastSubscriber[EventT]:
        return BroadcastSubscriber(event, function)

    return declare


def collect_subscribers(module: ModuleType) -> tuple[Subscriber[Event], ...]:
    """Return every `@subscribe` function that a module defines."""
    found = [value for value in vars(module).values() if isinstance(value, Subscriber)]
    names = [subscriber.name for subscriber in found]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ConfigurationError(f"{module.__name__} has two subscribers named {', '.join(sorted(repeated))}.")
    return tuple(found)


def collect_broadcasts(module: ModuleType) -> tuple[BroadcastSubscriber[Event], ...]:
    """Return every `@broadcast` function that a module defines."""
    return tuple(value for value in vars(module).values() if isinstance(value, BroadcastSubscriber))


def _name(function: Callable[..., object]) -> str:
    return function.__name__
