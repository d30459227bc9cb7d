"""The one place that chooses a backend."""

from pathlib import Path

from datamate.config.storage import StorageSettings
from datamate.storage.local import LocalStore
from datamate.storage.location import StoreLocation, location_of
from datamate.storage.s3 import S3ObjectStore
from datamate.storage.store import ObjectStore


def open_store(settings: StorageSettings, home: Path) -> ObjectStore:
    """Return the store that the settings name.

    Raises:
        ConfigurationError: DATAMATE_STORAGE__URL is wrong.
    """
    return open_location(location_of(settings, home))


def open_location(location: StoreLocation) -> ObjectStore:
    """Return the store at a location."""
    return LocalStore(location) if location.scheme == "file" else S3ObjectStore(location)
