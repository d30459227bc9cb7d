"""Private folders for the engines: made with the right owner, and never at the price of a parent's permissions."""

import contextlib
import hashlib
import os
import shutil
import stat
from pathlib import Path

from datamate.platform.embedded.account import EngineAccount
from datamate.platform.embedded.errors import EngineFolderError

# Source: unix(7): sun_path has 108 bytes, the last one a NUL.
MAX_SOCKET_PATH_BYTES = 107

# Not XDG_RUNTIME_DIR: it vanishes at logout while the platform may go on. `private_folder` vets what it finds here.
_SHORT_ROOT = Path("/tmp")  # noqa: S108

_OWNER_ONLY = 0o700


def reachable(path: Path, account: EngineAccount | None) -> bool:
    """Tell whether `account` may enter every folder above `path` (access lists beyond the mode bits are not read)."""
    return account is None or all(_may_enter(parent, account) for parent in path.absolute().parents)


def runnable(program: Path, account: EngineAccount | None) -> bool:
    """Tell whether `account` may run `program` (which it does not own)."""
    may_run = stat.S_IROTH | stat.S_IXOTH
    return account is None or (reachable(program, account) and program.stat().st_mode & may_run == may_run)


def private_folder(path: Path, account: EngineAccount | None) -> Path:
    """Make `path`, or vet it if it exists: a real folder, owned by `account`, closed to everybody else.

    Raises:
        EngineFolderError: Something else is there, as when another user made it first to listen in.
    """
    owner = os.geteuid() if account is None else account.uid
    try:
        path.mkdir(mode=_OWNER_ONLY)
    except FileExistsError:
        pass
    else:
        give(path, account)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != owner or stat.S_IMODE(status.st_mode) & 0o077:
        raise EngineFolderError(
            f"{path} must be a folder of user id {owner} with mode 0700, but is owned by {status.st_uid} with mode "
            f"{stat.S_IMODE(status.st_mode):04o}. Remove it and start again."
        )
    return path


def socket_folder(home: Path, name: str, account: EngineAccount | None, *, socket_name: str) -> Path:
    """Return a private folder for the sockets of engine `name`, with a path that the kernel accepts.

    It is inside `home` unless that lies too deep or out of the account's reach; then it is a short one under /tmp,
    named after `home` so that two installations never meet.
    """
    inside = home / "run" / name
    if len(os.fsencode(inside / socket_name)) <= MAX_SOCKET_PATH_BYTES and reachable(inside, account):
        return private_folder(inside, account)
    return private_folder(short_folder(home, name), account)


def short_folder(home: Path, name: str) -> Path:
    """Return where the sockets of engine `name` are when `home` cannot hold them."""
    digest = hashlib.blake2s(os.fsencode(home), digest_size=6).hexdigest()
    return _SHORT_ROOT / f"datamate-{os.geteuid()}-{digest}-{name}"


def remove_short_folder(home: Path, name: str) -> None:
    """Remove the folder outside `home`, if there is one and no engine uses it any more."""
    with contextlib.suppress(OSError):
        short_folder(home, name).rmdir()


def give(path: Path, account: EngineAccount | None) -> None:
    """Make `account` the owner of `path` and all below it, never following a link."""
    if account is None:
        return
    os.chown(path, account.uid, account.gid, follow_symlinks=False)
    for _, folders, files, descriptor in os.fwalk(path):
        for name in (*folders, *files):
            os.chown(name, account.uid, account.gid, dir_fd=descriptor, follow_symlinks=False)


def remove_half_made(path: Path) -> bool:
    """Remove what an interrupted set-up left at `path`; tell whether there was anything."""
    if not path.exists():
        return False
    shutil.rmtree(path)
    return True


def sync_folder(path: Path) -> None:
    """Make a rename inside `path` survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _may_enter(folder: Path, account: EngineAccount) -> bool:
    try:
        status = folder.stat()
    except FileNotFoundError:
        return True  # to be made by us, and then with the right mode
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)
