"""The sign-ins of `datamate login`, kept in a file that only its owner can read."""

import os
import tempfile
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, field_serializer

from datamate.config.user_folder import user_folder
from datamate.core.errors import ConfigurationError, InvalidInputError


class Credentials(BaseModel):
    """One sign-in to one server."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    url: str
    username: str
    access_token: SecretStr
    expires_at: datetime

    @field_serializer("access_token", when_used="json")
    def _reveal(self, token: SecretStr) -> str:
        return token.get_secret_value()


class _FileContent(BaseModel):
    current: str | None = None
    servers: dict[str, Credentials] = {}


class CredentialsFile:
    """Reads and writes sign-ins, one per server; the latest is the current one."""

    def __init__(self, path: Path | None = None) -> None:
        """Use the file at `path`, or else `credentials.json` in the user's folder; it need not exist."""
        self.path = path or user_folder() / "credentials.json"

    def find(self, url: str | None = None) -> Credentials | None:
        """Return the sign-in to a server, or the current one; None if there is none.

        Raises:
            ConfigurationError: The file cannot be read or is not what `save` wrote.
        """
        content = self._read()
        wanted = normalise_url(url) if url else content.current
        return content.servers.get(wanted) if wanted else None

    def save(self, credentials: Credentials) -> None:
        """Keep a sign-in and make it the current one; the file is readable by its owner alone."""
        servers = self._read().servers | {credentials.url: credentials}
        self._write(_FileContent(current=credentials.url, servers=servers))

    def remove(self, url: str | None = None) -> Credentials | None:
        """Forget the sign-in to a server, or the current one; return it, or None if there was none."""
        content = self._read()
        wanted = normalise_url(url) if url else content.current
        removed = content.servers.get(wanted) if wanted else None
        if removed is not None:
            left = {key: value for key, value in content.servers.items() if key != removed.url}
            current = next(iter(left), None) if content.current == removed.url else content.current
            self._write(_FileContent(current=current, servers=left))
        return removed

    def _read(self) -> _FileContent:
        try:
            return _FileContent.model_validate_json(self.path.read_bytes())
        except FileNotFoundError:
            return _FileContent()
        except (OSError, ValidationError):
            raise ConfigurationError(
                f"The saved sign-ins in {self.path} cannot be read. Delete the file and run `datamate login` again."
            ) from None

    def _write(self, content: _FileContent) -> None:
        folder = self.path.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # mkstemp makes the file readable by its owner alone, from its first moment.
            descriptor, name = tempfile.mkstemp(dir=folder, prefix=f".{self.path.name}.")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content.model_dump_json(indent=2).encode())
                Path(name).replace(self.path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise ConfigurationError(f"The sign-in cannot be saved to {self.path}: {error.strerror}.") from error


def normalise_url(url: str) -> str:
    """Return the address of a server in the one form that names it: no trailing slash, host in lower case.

    Raises:
        InvalidInputError: It is not an http or https address.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise InvalidInputError(f"'{url}' is not the address of a server; give it like http://127.0.0.1:8080.")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"
