"""The decorator that reads a function's result through the cache."""

import functools
import inspect
import string
import typing
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from pydantic import TypeAdapter

from datamate.core.errors import ConfigurationError
from datamate.platform.cache.cache import Cache, Slot

P = ParamSpec("P")
R = TypeVar("R")


def cached(
    namespace: str, *, key: str, ttl_seconds: float
) -> Callable[[Callable[P, Coroutine[Any, Any, R]]], Callable[P, Coroutine[Any, Any, R]]]:
    """Read the result of an async function through the cache.

    The function is a method of an object with the attribute `cache`, or has a parameter `cache`:

        class DatasetRepository:
            @cached("datasets", key="{dataset_id}", ttl_seconds=60)
            async def get(self, session: Session, dataset_id: str) -> Dataset: ...

    It must read from a read session (inside a transaction it would publish what may be rolled back), and its return
    annotation says how to store the result. Whoever changes the source calls `cache.bump(session, namespace, key)`.

    Args:
        namespace: First part of the key, usually the table.
        key: Rest of the key; `{name}` stands for the argument of that name.
        ttl_seconds: Longest life of a value.

    Raises:
        ConfigurationError: The key names an argument that the function does not have, or there is no cache to use.
    """

    def decorate(function: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
        signature = inspect.signature(function)
        _check(function, signature, key)

        @functools.cache
        def adapter() -> TypeAdapter[R]:
            return TypeAdapter(typing.get_type_hints(function)["return"])

        @functools.wraps(function)
        async def read(*args: P.args, **kwargs: P.kwargs) -> R:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            slot = Slot(namespace, key.format_map(bound.arguments), ttl_seconds, adapter())
            return await _cache_of(bound.arguments).read(slot, lambda: function(*args, **kwargs))

        return read

    return decorate


def _check(function: Callable[..., object], signature: inspect.Signature, key: str) -> None:
    where = f"@cached on {function.__qualname__}"
    fields = {field for _, field, _, _ in string.Formatter().parse(key) if field is not None}
    unknown = fields - set(signature.parameters)
    if unknown:
        raise ConfigurationError(f"{where}: the key names {', '.join(sorted(unknown))}, which is no parameter.")
    if not {"self", "cache"} & set(signature.parameters):
        raise ConfigurationError(f"{where}: it needs a parameter `cache`, or `self` with an attribute `cache`.")


def _cache_of(arguments: dict[str, Any]) -> Cache:
    cache: Cache = arguments["cache"] if "cache" in arguments else arguments["self"].cache
    return cache
