"""Checks of DATAMATE_HOME: who owns it, who may read its secrets, who runs on it, and the port."""

import os
import stat

from datamate.app.supervisor.diagnosis.check import Check, fail, ok, warn
from datamate.app.supervisor.errors import PortInUseError
from datamate.app.supervisor.home import Home
from datamate.app.supervisor.ports import port_owner, require_free
from datamate.config.root import Settings

_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_OPEN_TO_OTHERS = 0o077


def installation_checks(home: Home, settings: Settings) -> list[Check]:
    """Return what is found about the folder of the installation."""
    if not home.path.exists():
        return [_new_home(home), *_port(settings, holder=None)]
    holder = home.holder
    return [_home(home), *_secrets(home), _running(home, holder), *_port(settings, holder)]


def _new_home(home: Home) -> Check:
    folder = next(path for path in home.path.parents if path.exists())
    if os.access(folder, os.W_OK | os.X_OK):
        return ok("home", f"{home.path} will be made by the first `datamate up`")
    return fail("home", f"{home.path} cannot be made: {folder} is closed to this user.", "Set DATAMATE_HOME.")


def _home(home: Home) -> Check:
    status = home.path.stat()
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISDIR(status.st_mode):
        return fail("home", f"{home.path} is not a folder.", "Move it away, or set DATAMATE_HOME.")
    if status.st_uid != os.geteuid():
        way_out = "Run DataMate as that user, or set DATAMATE_HOME."
        detail = f"{home.path} belongs to user id {status.st_uid}; this is user id {os.geteuid()}."
        return warn("home", detail, way_out) if os.geteuid() == 0 else fail("home", detail, way_out)
    if mode & _WRITABLE_BY_OTHERS:
        return warn("home", f"Others may write to {home.path} (mode {mode:04o}).", f"chmod go-w {home.path}")
    return ok("home", f"{home.path} (mode {mode:04o})")


def _secrets(home: Home) -> list[Check]:
    if not home.secrets.exists():
        return []
    files = [home.secrets, *sorted(home.secrets.iterdir()), home.admin_password]
    loose = [path for path in files if path.exists() and path.stat().st_mode & _OPEN_TO_OTHERS]
    if loose:
        names = " ".join(map(str, loose))
        return [fail("secrets", f"Others may read: {names}.", f"chmod go= {names}; then replace those secrets.")]
    return [ok("secrets", "only their owner may read them")]


def _running(home: Home, holder: int | None) -> Check:
    if holder is not None:
        return ok("supervisor", f"runs (process id {holder})")
    if home.is_new:
        return warn("supervisor", "no start has completed here yet", f"See {home.logs}, or run `datamate up`.")
    return ok("supervisor", "does not run; `datamate up` starts it")


def _port(settings: Settings, holder: int | None) -> list[Check]:
    gateway = settings.gateway
    if gateway.port == 0:
        return []
    if holder is not None:
        owner = port_owner(gateway.port)
        if owner is None:
            detail = f"Nobody listens on {gateway.port}, though DataMate runs."
            return [warn("port", detail, "It may be starting, or was started with another DATAMATE_GATEWAY__PORT.")]
        return [ok("port", f"{gateway.port}: {owner.program} (process id {owner.pid})")]
    try:
        require_free(gateway.host, gateway.port, setting="DATAMATE_GATEWAY__PORT")
    except PortInUseError as error:
        return [fail("port", error.detail)]
    return [ok("port", f"{gateway.port} of {gateway.host} is free")]
