"""Whether a service lives, and whether it can serve."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from redis.asyncio import Redis
from sqlalchemy import text

from datamate.contracts.base import ResponseBody
from datamate.core.errors import FieldError, UnavailableError
from datamate.platform.db import Database

CHECK_SECONDS: Final = 2.0

Check = Callable[[], Awaitable[None]]
"""Returns when the part answers; raises, or takes too long, when it does not."""

_log = structlog.get_logger(__name__)


class NotReadyError(UnavailableError):
    """A part that this service cannot work without does not answer."""

    code = "not_ready"


class Liveness(ResponseBody):
    """The process runs."""

    status: str = "alive"


class Readiness(ResponseBody):
    """The service can serve. Parts that it can do without for a while may still be missing."""

    status: str = "ready"
    missing: tuple[str, ...] = ()


def database_check(database: Database) -> Check:
    """Return the check that PostgreSQL answers a query."""

    async def check() -> None:
        async with database.reader() as session:
            await session.execute(text("SELECT 1"))

    return check


def redis_check(redis: Redis) -> Check:
    """Return the check that Redis answers a ping."""

    async def check() -> None:
        await redis.ping()

    return check


async def readiness(needed: Mapping[str, Check], wanted: Mapping[str, Check]) -> Readiness:
    """Return which parts answer.

    Args:
        needed: By the name shown; the service is not ready without each of them.
        wanted: By the name shown; the service works on without them for a while.

    Raises:
        NotReadyError: A needed part does not answer; `errors` names every missing one.
    """
    checks = {**needed, **wanted}
    answers = await asyncio.gather(*(_answers(name, check) for name, check in checks.items()))
    missing = [name for name, answered in zip(checks, answers, strict=True) if not answered]
    if any(name in needed for name in missing):
        errors = [FieldError(name, f"does not answer within {CHECK_SECONDS:g} seconds") for name in missing]
        raise NotReadyError(f"Not ready: {', '.join(missing)} does not answer.", errors=errors)
    return Readiness(missing=tuple(missing))


async def _answers(name: str, check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a part, the answer is that it is missing
        _log.warning("part_missing", part=name, reason=repr(error))
        return False
    return True
