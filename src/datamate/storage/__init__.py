"""The object store: one interface over a folder (`file://`) and a bucket (`s3://`)."""

from datamate.storage.blocking import BlockingStore, open_blocking_store
from datamate.storage.hashing import ContentHash, HashingStream, hash_object
from datamate.storage.location import StoreLocation, location_of
from datamate.storage.opening import open_location, open_store
from datamate.storage.store import ObjectInfo, ObjectStore

__all__ = [
    "BlockingStore",
    "ContentHash",
    "HashingStream",
    "ObjectInfo",
    "ObjectStore",
    "StoreLocation",
    "hash_object",
    "location_of",
    "open_blocking_store",
    "open_location",
    "open_store",
]
