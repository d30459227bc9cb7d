"""Where an object store is: a value that can be sent to another process."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from datamate.config.storage import StorageSettings
from datamate.core.errors import ConfigurationError, FieldError

_VARIABLE = "DATAMATE_STORAGE__URL"


@dataclass(frozen=True, slots=True)
class StoreLocation:
    """Everything needed to open a store; picklable.

    Attributes:
        scheme: `file` or `s3`.
        root: Absolute folder, or name of the bucket.
        prefix: Folder inside the bucket that all keys are below, without slashes at its ends; empty for a folder.
        endpoint: Address of an S3 server other than AWS; plain http is accepted only where it says http.
        region: S3 region.
        access_key_id: Empty: the environment's own credentials (instance role, profile).
        secret_access_key: Never shown.
    """

    scheme: Literal["file", "s3"]
    root: str
    prefix: str = ""
    endpoint: str | None = None
    region: str = "us-east-1"
    access_key_id: str | None = field(default=None, repr=False)
    secret_access_key: str | None = field(default=None, repr=False)

    def local_path(self, key: str) -> Path | None:
        """Return the file that holds an object, or None where the store is not a folder."""
        return Path(self.root, *key.split("/")) if self.scheme == "file" else None


def location_of(settings: StorageSettings, home: Path) -> StoreLocation:
    """Return the location that the settings name; without a URL, the folder `objects` in DATAMATE_HOME.

    Raises:
        ConfigurationError: The URL is neither `file:///folder` nor `s3://bucket/prefix`.
    """
    if settings.url is None:
        return StoreLocation("file", str(home / "objects"))
    parts = urlsplit(settings.url)
    if parts.scheme == "file" and parts.netloc in {"", "localhost"} and parts.path.startswith("/"):
        return StoreLocation("file", unquote(parts.path))
    if parts.scheme == "s3" and parts.netloc and not parts.query:
        return _bucket(settings, bucket=parts.netloc, prefix=parts.path.strip("/"))
    message = "expected file:///folder or s3://bucket/prefix"
    raise ConfigurationError(f"{_VARIABLE} is wrong: {message}.", errors=[FieldError(_VARIABLE, message)])


def _bucket(settings: StorageSettings, *, bucket: str, prefix: str) -> StoreLocation:
    key, secret = settings.access_key_id, settings.secret_access_key
    return StoreLocation(
        "s3",
        bucket,
        prefix=prefix,
        endpoint=settings.endpoint,
        region=settings.region,
        access_key_id=key.get_secret_value() if key else None,
        secret_access_key=secret.get_secret_value() if secret else None,
    )
