"""What only a bucket can get wrong: credentials, absent servers, parts left behind."""

import asyncio
import dataclasses

import obstore
import pytest

from datamate.core.errors import ConfigurationError, UnavailableError
from datamate.storage import open_blocking_store, open_location, s3
from datamate.storage.s3_client import connect

MIB = 1 << 20


async def test_wrong_credentials_are_named(s3_location):
    wrong = open_location(dataclasses.replace(s3_location, secret_access_key="not-the-secret"))
    for call in (wrong.check, lambda: wrong.put("k", b"x"), lambda: wrong.read("k", end=1)):
        with pytest.raises(ConfigurationError, match="SECRET_ACCESS_KEY"):
            await call()


async def test_an_absent_server_is_unavailable(s3_location):
    absent = dataclasses.replace(s3_location, endpoint="http://127.0.0.1:9")
    store = open_location(absent)
    for call in (store.check, lambda: store.put("k", b"x")):
        with pytest.raises(UnavailableError, match="does not answer"):
            await call()
    with pytest.raises(UnavailableError):
        await asyncio.to_thread(open_blocking_store(absent).read, "k")


def test_plain_http_is_refused_when_the_endpoint_says_https(s3_location):
    secure = dataclasses.replace(s3_location, endpoint=s3_location.endpoint.replace("http://", "https://"))
    with pytest.raises(UnavailableError):
        open_blocking_store(secure).read("k", end=1)


def test_parts_grow_with_the_announced_size():
    assert s3._part_bytes(None) == 16 * MIB
    assert s3._part_bytes(1) == 8 * MIB
    largest = 1 << 40
    assert -(-largest // s3._part_bytes(largest)) < 10_000


async def test_large_objects_are_copied_by_parts(s3_location, monkeypatch):
    monkeypatch.setattr(s3, "MAX_COPY_BYTES", 4 * MIB)
    store = open_location(s3_location)
    content = bytes(range(256)) * (5 * MIB // 256)
    await store.put("source", content)
    await store.copy("source", "target")
    assert await store.read("target") == content


async def test_objects_stay_below_the_prefix_of_the_location(s3_location):
    await open_location(s3_location).put("inside", b"x")
    bucket = connect(dataclasses.replace(s3_location, prefix=""))
    assert (await obstore.head_async(bucket, f"{s3_location.prefix}/inside"))["size"] == 1
