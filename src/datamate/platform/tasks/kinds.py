"""Declaring kinds of tasks and the functions that run them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Generic, TypeVar

from pydantic import BaseModel

from datamate.core.errors import ConfigurationError
from datamate.platform.tasks.context import TaskContext

PayloadT = TypeVar("PayloadT", bound=BaseModel)
ResourcesT = TypeVar("ResourcesT")

DEFAULT_QUEUE = "default"
DEFAULT_MAX_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class TaskKind(Generic[PayloadT]):
    """What is known of a kind of task without its handler, so that a service can enqueue what a worker runs.

    Attributes:
        name: `<service>.<what>`, such as `runtime.run`.
        payload: The model of its input.
        queue: Which workers take it.
        max_attempts: How often it may be claimed, lost workers included.
    """

    name: str
    payload: type[PayloadT]
    queue: str = DEFAULT_QUEUE
    max_attempts: int = DEFAULT_MAX_ATTEMPTS


@dataclass(frozen=True, slots=True)
class TaskHandler(Generic[ResourcesT, PayloadT]):
    """A function together with the kind of task it runs."""

    kind: TaskKind[PayloadT]
    run: Callable[[TaskContext[ResourcesT], PayloadT], Awaitable[BaseModel | None]]


@dataclass(frozen=True, slots=True)
class BoundTask:
    """A handler and the resources it finds as `ctx.resources`."""

    handler: TaskHandler[object, BaseModel]
    resources: object


def task(
    kind: TaskKind[PayloadT],
) -> Callable[
    [Callable[[TaskContext[ResourcesT], PayloadT], Awaitable[BaseModel | None]]], TaskHandler[ResourcesT, PayloadT]
]:
    """Declare an async function as the handler of a kind of task.

        RUN = TaskKind("runtime.run", RunPayload)

        @task(RUN)
        async def run(ctx: TaskContext[RuntimeResources], payload: RunPayload) -> RunSummary: ...

    The handler runs at least once: its effects belong into `ctx.transaction()`, which lets only the worker that
    holds the lease write, or carry an idempotency key.
    """

    def declare(
        function: Callable[[TaskContext[ResourcesT], PayloadT], Awaitable[BaseModel | None]],
    ) -> TaskHandler[ResourcesT, PayloadT]:
        return TaskHandler(kind, function)

    return declare


def collect_tasks(module: ModuleType, resources: object) -> tuple[BoundTask, ...]:
    """Return every handler that a module defines, bound to the resources that its contexts will carry."""
    found = [value for value in vars(module).values() if isinstance(value, TaskHandler)]
    names = [handler.kind.name for handler in found]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ConfigurationError(f"{module.__name__} has two handlers for {', '.join(sorted(repeated))}; keep one.")
    return tuple(BoundTask(handler, resources) for handler in found)
