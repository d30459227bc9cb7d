"""How to start one embedded engine, for whoever supervises it, and how the short tools around it are run."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from datamate.platform.embedded.account import EngineAccount
from datamate.platform.embedded.errors import EngineStartError
from datamate.platform.embedded.folders import reachable

# Nothing of the caller's environment reaches an engine: PG* and locale variables would change what it does.
ENGINE_ENVIRONMENT: Mapping[str, str] = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

_OUTPUT_LINES_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCommand:
    """The process of an engine.

    Attributes:
        argv: The program and its arguments; no secret is among them, because every user can list arguments.
        folder: The working folder, entered before the account changes.
        account: Who to become, or None to stay.
        stdin: What to write to its standard input, or None for nothing.
        stop_signal: Ends it cleanly and soon.
    """

    argv: tuple[str, ...]
    folder: Path
    account: EngineAccount | None
    stdin: str | None
    stop_signal: signal.Signals


def folder_argument(folder: Path, account: EngineAccount | None) -> str:
    """Return a name under which a process started inside `folder` can open it.

    An account that may not enter a parent folder (`/root`, a test's private folder) still reaches its working folder,
    which it is given before it loses its rights. That spares opening the parents to everybody.
    """
    return str(folder) if reachable(folder, account) else "/proc/self/cwd"


async def run_tool(
    argv: Sequence[str], folder: Path, *, account: EngineAccount | None, lock: int, stdin: str = ""
) -> None:
    """Run a short program inside `folder` and wait for it.

    Args:
        argv: The program and its arguments.
        folder: The working folder.
        account: Who to become, or None to stay.
        lock: The descriptor of the engine's lock: the tool holds it too, so that it is found if we are killed.
        stdin: What it reads.

    Raises:
        EngineStartError: It failed; the message has the last lines it printed.
    """
    process = await asyncio.create_subprocess_exec(
        *argv,
        cwd=folder,
        env=ENGINE_ENVIRONMENT,
        user=None if account is None else account.uid,
        group=None if account is None else account.gid,
        extra_groups=None if account is None else [],
        umask=0o077,
        pass_fds=(lock,),
        start_new_session=True,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate(stdin.encode())
    finally:
        if process.returncode is None:  # we are being stopped; the folder it works on is thrown away
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode != 0:
        tail = "\n  ".join(output.decode("utf-8", "replace").splitlines()[-_OUTPUT_LINES_SHOWN:])
        raise EngineStartError(
            f"{Path(argv[0]).name} failed with exit code {process.returncode} in {folder}:\n  {tail}"
        )
