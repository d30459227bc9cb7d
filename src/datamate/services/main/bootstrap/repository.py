"""SQL of the first start."""

from typing import Final

from sqlalchemy import func, select

from datamate.platform.db import Session

_LOCK_KEY: Final = 0x6461_7461_0001
"""Any number that no other advisory lock of DataMate uses."""


async def lock_bootstrap(session: Session) -> None:
    """Let one transaction at a time look for users and make the first one."""
    await session.execute(select(func.pg_advisory_xact_lock(_LOCK_KEY)))
