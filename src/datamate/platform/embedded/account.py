"""Which unprivileged account the embedded engines run as when DataMate itself is started as root.

PostgreSQL refuses to run as root. Its server accepts a numeric user id without a passwd entry; `initdb` and the
single-user mode do not. So those borrow an account that exists, and the folder is then given to an id that nothing else
runs as.
"""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from datamate.platform.embedded.errors import EngineStartError

# Source: https://systemd.io/UIDS-GIDS/ - ids that no user database, container or dynamic service takes.
_FREE_IDS = range(60_706, 61_184)


@dataclass(frozen=True, slots=True)
class EngineAccount:
    """A user and its group, as numbers; neither needs a name."""

    uid: int
    gid: int


def account_for(folder: Path) -> EngineAccount | None:
    """Return the account that runs the engine of `folder`: its owner, or a free one for a new folder.

    Returns:
        None when this process is not root: the engine then runs as whoever started DataMate.

    Raises:
        EngineStartError: The folder belongs to somebody else, and only root could act for them.
    """
    owner = folder.stat() if folder.exists() else None
    if os.geteuid() != 0:
        if owner is not None and owner.st_uid != os.geteuid():
            raise EngineStartError(
                f"{folder} belongs to user id {owner.st_uid}, and this is user id {os.geteuid()}. "
                "Start DataMate as that user, or choose another folder with DATAMATE_HOME."
            )
        return None
    if owner is None or owner.st_uid in {0, _named_account().uid}:  # or a set-up that was killed before the handover
        return _free_account()
    return EngineAccount(owner.st_uid, owner.st_gid)


def setup_account() -> EngineAccount | None:
    """Return the account that runs the set-up tools: None for ourselves, or for root one with a name.

    Raises:
        EngineStartError: There is no account that they accept.
    """
    if os.geteuid() == 0:
        return _named_account()
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise EngineStartError(
            f"PostgreSQL cannot be set up by user id {os.geteuid()}, which has no entry in /etc/passwd. Add one, or "
            "point DATAMATE_DATABASE__URL at a server."
        ) from None
    return None


def _named_account() -> EngineAccount:
    """Return an unprivileged account with a passwd entry, `nobody` if there is one."""
    entries = sorted(
        (entry for entry in pwd.getpwall() if entry.pw_uid != 0), key=lambda entry: entry.pw_name != "nobody"
    )
    if not entries:
        raise EngineStartError(
            "PostgreSQL cannot be set up by root, and /etc/passwd has no other user. Add one, or start DataMate as one."
        )
    return EngineAccount(entries[0].pw_uid, entries[0].pw_gid)


def _free_account() -> EngineAccount:
    """Return an id without a name; in a user namespace too small to map one, an account that exists."""
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    mapped = _mapped_ids()
    free = next((uid for uid in _FREE_IDS if uid not in taken and any(uid in ids for ids in mapped)), None)
    return _named_account() if free is None else EngineAccount(free, free)


def _mapped_ids() -> list[range]:
    """Return the user ids that exist in this user namespace."""
    try:
        lines = Path("/proc/self/uid_map").read_text("ascii").splitlines()
    except FileNotFoundError:  # not Linux: no namespaces
        return [range(1 << 32)]
    starts_and_counts = [(int(line.split()[0]), int(line.split()[2])) for line in lines]
    return [range(start, start + count) for start, count in starts_and_counts]
