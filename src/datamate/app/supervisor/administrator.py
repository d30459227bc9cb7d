"""What the start of a platform can say about the first administrator: the migrations make it, once."""

from dataclasses import dataclass, field

from datamate.app.supervisor.home import Home
from datamate.config.root import Settings
from datamate.platform.embedded.secret_file import read_secret


@dataclass(frozen=True, slots=True)
class FirstAdministrator:
    """The administrator that a start made.

    Attributes:
        username: The name to sign in with.
        password: The random password, or None if DATAMATE_BOOTSTRAP__ADMIN_PASSWORD named one.
    """

    username: str
    password: str | None = field(repr=False)


class PasswordWatch:
    """Notices whether the migrations write a first administrator's password between two moments."""

    def __init__(self, home: Home, settings: Settings) -> None:
        """Begin to watch."""
        self._home = home
        self._bootstrap = settings.bootstrap
        self._has_own_database = settings.database.url is None
        # A start that was killed may have made the administrator and told nobody.
        self._before = None if home.is_new else self._stamp()

    def first_administrator(self) -> FirstAdministrator | None:
        """Return the administrator made since, or None if there was one already."""
        username = self._bootstrap.admin_username
        if self._bootstrap.admin_password is not None:
            # Whether a database elsewhere had users before cannot be seen from here.
            return FirstAdministrator(username, None) if self._home.is_new and self._has_own_database else None
        if self._stamp() in {None, self._before}:
            return None
        return FirstAdministrator(username, read_secret(self._home.admin_password))

    def _stamp(self) -> tuple[int, int] | None:
        try:
            status = self._home.admin_password.stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns
