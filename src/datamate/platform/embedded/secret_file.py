"""Secrets on the disk: one file each, readable by its owner only, never half written."""

import os
import secrets
from pathlib import Path

from datamate.platform.embedded.folders import sync_folder

_RANDOM_BYTES = 32


def new_secret() -> str:
    """Return 43 random characters (256 bits) of letters, digits, `-` and `_`: safe in URLs, SQL and Redis commands."""
    return secrets.token_urlsafe(_RANDOM_BYTES)


def read_secret(path: Path) -> str | None:
    """Return the secret in `path`, or None if there is none."""
    try:
        return path.read_text("utf-8").strip() or None
    except FileNotFoundError:
        return None


def write_secret(path: Path, secret: str) -> None:
    """Write `secret` to `path` with mode 0600; after a crash there is the whole secret or no file."""
    half_made = path.with_name(f"{path.name}.tmp")
    half_made.unlink(missing_ok=True)
    descriptor = os.open(half_made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{secret}\n")
        file.flush()
        os.fsync(file.fileno())
    half_made.rename(path)
    sync_folder(path.parent)


def keep_secret(path: Path) -> str:
    """Return the secret in `path`, making a random one the first time."""
    secret = read_secret(path)
    if secret is None:
        secret = new_secret()
        write_secret(path, secret)
    return secret
