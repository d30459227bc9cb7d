"""The environment that gives another process the same settings."""

import os
from collections.abc import Iterator

from pydantic import BaseModel, SecretStr

from datamate.config.root import PREFIX, Settings


def child_environment(settings: Settings) -> dict[str, str]:
    """Return the environment of a process that shall run with `settings`, whatever this process was started with.

    Args:
        settings: What to pass on; fields at their default are left out, secrets are revealed.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.upper().startswith(PREFIX)}
    return inherited | dict(_variables(settings))


def _variables(settings: Settings) -> Iterator[tuple[str, str]]:
    for name in type(settings).model_fields:
        value: object = getattr(settings, name)
        if isinstance(value, BaseModel):
            yield from (
                (f"{PREFIX}{name}__{inner}".upper(), _text(getattr(value, inner)))
                for inner, field in type(value).model_fields.items()
                if getattr(value, inner) != field.default
            )
        else:
            yield f"{PREFIX}{name}".upper(), _text(value)


def _text(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def notify_socket() -> str | None:
    """Return where this process shall say that it is ready (systemd's NOTIFY_SOCKET), or None."""
    return os.environ.get("NOTIFY_SOCKET") or None
