"""The S3 client of obstore: how it is set up and what its errors mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from datamate.core.errors import (
    ConfigurationError,
    DatamateError,
    NotFoundError,
    StorageFullError,
    UnavailableError,
)
from datamate.storage.location import StoreLocation

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

# Shorter than obstore's three minutes: a client waits for the answer, and tasks retry by themselves.
_RETRIES: "RetryConfig" = {"max_retries": 4, "retry_timeout": timedelta(seconds=20)}
_CONNECT_TIMEOUT = timedelta(seconds=3)
_REQUEST_TIMEOUT = timedelta(seconds=60)
# What MinIO, Ceph and SeaweedFS say when they have no space; S3 itself never runs out.
_FULL_WORDS = ("XMinioStorageFull", "QuotaExceeded", "507 Insufficient Storage", "no free volumes", "no space left")
# A refused listing reaches us as an error without a class of its own.
_REFUSED_WORDS = ("403 Forbidden", "401 Unauthorized", "SignatureDoesNotMatch", "InvalidAccessKeyId", "AccessDenied")


def connect(location: StoreLocation) -> S3Store:
    """Return a client of the bucket; nothing is sent before the first use."""
    config: S3Config = {"region": location.region, "virtual_hosted_style_request": False}
    if location.endpoint is not None:
        config["endpoint"] = location.endpoint
    if location.access_key_id is not None:
        config["access_key_id"] = location.access_key_id
    if location.secret_access_key is not None:
        config["secret_access_key"] = location.secret_access_key
    options: ClientConfig = {
        "allow_http": (location.endpoint or "").startswith("http://"),
        "connect_timeout": _CONNECT_TIMEOUT,
        "timeout": _REQUEST_TIMEOUT,
    }
    return S3Store(
        location.root, prefix=location.prefix or None, config=config, client_options=options, retry_config=_RETRIES
    )


@contextmanager
def s3_errors(key: str) -> Iterator[None]:
    """Turn what obstore raises into the errors of the store."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no object {key!r} in the store.") from error
    except (BaseError, OSError) as error:
        raise _translated(error) from error


def range_is_past_the_end(error: BaseError) -> bool:
    """Return whether a ranged read failed only because the object ends before its start."""
    return "416 Range Not Satisfiable" in str(error)


def _translated(error: Exception) -> DatamateError:
    text = str(error)
    refused = any(word in text for word in _REFUSED_WORDS)
    if refused or isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return ConfigurationError(
            "The S3 server refuses the credentials: check DATAMATE_STORAGE__ACCESS_KEY_ID and "
            "DATAMATE_STORAGE__SECRET_ACCESS_KEY, and what that key may do with the bucket."
        )
    if "NoSuchBucket" in text:
        return ConfigurationError("The bucket of DATAMATE_STORAGE__URL does not exist; create it first.")
    if any(word in text for word in _FULL_WORDS):
        return StorageFullError("The S3 server has no space left; nothing of this object was kept.")
    return UnavailableError("The S3 server at DATAMATE_STORAGE__ENDPOINT does not answer as it should; try again.")
