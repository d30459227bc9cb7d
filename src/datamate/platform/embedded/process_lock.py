"""A lock that lives exactly as long as a process and its descendants, and finds them when their parent was killed.

The parent takes an exclusive `flock` and lets the child inherit the descriptor. The kernel frees it when the last
process that holds it is gone, so that a leftover (a backend whose postmaster was killed, say) can neither be overlooked
nor confused with a stranger that got the same process id.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from datamate.platform.embedded.errors import EngineStartError

_POLL_SECONDS = 0.02
_KILL_SECONDS = 5.0


def try_lock(path: Path) -> int | None:
    """Return a descriptor that holds the lock of `path`, or None while somebody else holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


async def take_over(path: Path, *, patience_seconds: float, on_leftover: Callable[[list[int]], None]) -> int:
    """Return a descriptor that holds the lock of `path`, ending the leftovers of an earlier start first.

    Args:
        path: The lock file; only processes that DataMate started ever hold it.
        patience_seconds: How long leftovers may take to end by themselves before they are killed. They were told to
            when their parent died.
        on_leftover: Called once with the process ids, if there are any.

    Raises:
        EngineStartError: The leftovers cannot be found or do not end.
    """
    descriptor = try_lock(path)
    if descriptor is not None:
        return descriptor
    on_leftover(list(holders(path)))
    descriptor = await _wait_for_lock(path, patience_seconds)
    if descriptor is None:
        for pid in holders(path):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        descriptor = await _wait_for_lock(path, _KILL_SECONDS)
    if descriptor is None:
        found = ", ".join(str(pid) for pid in holders(path)) or "not to be found from here"
        raise EngineStartError(
            f"Processes of an earlier start still hold {path} (process ids: {found}). End them and start again."
        )
    return descriptor


def holders(path: Path) -> Iterator[int]:
    """Yield the ids of the other processes that have `path` open, as far as this user may see them; Linux only."""
    try:
        wanted = path.stat()
    except FileNotFoundError:
        return
    for entry in _process_folders():
        with contextlib.suppress(OSError):  # it ended meanwhile, or belongs to somebody else
            if any(os.path.samestat(link.stat(), wanted) for link in (entry / "fd").iterdir() if _is_open(link)):
                yield int(entry.name)


def working_folder_is(pid: int, folder: Path) -> bool:
    """Tell whether process `pid` runs inside `folder`; False where that cannot be seen, as for a dead process."""
    try:
        return Path(f"/proc/{pid}/cwd").samefile(folder)
    except OSError:
        return False


def _process_folders() -> Iterator[Path]:
    root = Path("/proc")
    if root.is_dir():
        yield from (entry for entry in root.iterdir() if entry.name.isdecimal() and int(entry.name) != os.getpid())


def _is_open(link: Path) -> bool:
    """Tell whether the descriptor is a file: only those are worth the cost of a stat, and a dead link has none."""
    return str(link.readlink()).startswith("/")


async def _wait_for_lock(path: Path, seconds: float) -> int | None:
    deadline = time.monotonic() + seconds
    while (descriptor := try_lock(path)) is None and time.monotonic() < deadline:  # noqa: ASYNC110 - nobody signals it
        await asyncio.sleep(_POLL_SECONDS)
    return descriptor
