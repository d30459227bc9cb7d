"""Where the settings say the store is."""

import pickle
from pathlib import Path

import pytest

from datamate.config.storage import StorageSettings
from datamate.core.errors import ConfigurationError
from datamate.storage import StoreLocation, location_of, open_store

HOME = Path("/home/someone/.datamate")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (None, StoreLocation("file", "/home/someone/.datamate/objects")),
        ("file:///data/objects", StoreLocation("file", "/data/objects")),
        ("file://localhost/data/with%20space", StoreLocation("file", "/data/with space")),
        ("s3://bucket", StoreLocation("s3", "bucket")),
        ("s3://bucket/team/data/", StoreLocation("s3", "bucket", prefix="team/data")),
    ],
)
def test_location_follows_the_url(url, expected):
    assert location_of(StorageSettings(url=url), HOME) == expected


@pytest.mark.parametrize("url", ["", "objects", "file:objects", "file://host/x", "s3:///x", "http://x", "s3://b?x=1"])
def test_location_is_refused_when_the_url_is_neither_folder_nor_bucket(url):
    with pytest.raises(ConfigurationError, match="DATAMATE_STORAGE__URL"):
        location_of(StorageSettings(url=url), HOME)


def test_location_is_picklable_and_hides_its_secret():
    settings = StorageSettings(url="s3://b", endpoint="http://x", access_key_id="id-1", secret_access_key="hush-hush")
    location = location_of(settings, HOME)
    assert pickle.loads(pickle.dumps(location)) == location
    assert "hush" not in repr(location)
    assert location.secret_access_key == "hush-hush"


async def test_open_store_chooses_the_backend(tmp_path):
    assert open_store(StorageSettings(), tmp_path).location.scheme == "file"
    assert open_store(StorageSettings(url="s3://b"), tmp_path).location.scheme == "s3"
