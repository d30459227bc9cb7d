"""Tags over HTTP."""

import asyncio

from factories.datasets import ROOT

TAGS = f"{ROOT}/tags"


async def counts(calls) -> dict[str, int]:
    return {tag["name"]: tag["dataset_count"] for tag in await calls.pages(TAGS, limit=2)}


async def test_tags_are_made_coloured_and_listed_by_name(calls):
    for name, color in (("b", "#000000"), ("ä", "#111111"), ("a", "#222222"), ("b", "#333333")):
        assert (await calls("PUT", TAGS, {"name": name, "color": color})).status == 200
    listed = await calls.pages(TAGS, limit=2)
    assert [(tag["name"], tag["color"]) for tag in listed] == [("a", "#222222"), ("b", "#333333"), ("ä", "#111111")]


async def test_counts_follow_the_datasets(calls):
    first = await calls.create("one", tags=["x", "y"])
    await calls.create("two", tags=["x"])
    assert await counts(calls) == {"x": 2, "y": 1}
    await calls("PATCH", f"{ROOT}/datasets/{first}", {"tags": ["z"]})
    assert await counts(calls) == {"x": 1, "y": 0, "z": 1}
    await calls("DELETE", f"{ROOT}/datasets/{first}")
    assert await counts(calls) == {"x": 1, "y": 0, "z": 0}


async def test_a_tag_is_removed_only_when_nobody_carries_it(calls, dataset):
    await calls("PATCH", f"{ROOT}/datasets/{dataset}", {"tags": ["used"]})
    refused = await calls("DELETE", f"{TAGS}?name=used")
    assert (refused.status, refused.json["code"]) == (409, "tag_in_use")
    await calls("PATCH", f"{ROOT}/datasets/{dataset}", {"tags": []})
    assert (await calls("DELETE", f"{TAGS}?name=used")).status == 204
    assert (await calls("DELETE", f"{TAGS}?name=used")).json["code"] == "tag_not_found"


async def test_counts_hold_when_datasets_share_tags_at_the_same_moment(calls):
    made = await asyncio.gather(*(calls.create(f"d{n}", tags=["p", "q"][:: 1 - 2 * (n % 2)]) for n in range(8)))
    assert await counts(calls) == {"p": 8, "q": 8}
    await asyncio.gather(*(calls("PATCH", f"{ROOT}/datasets/{one}", {"tags": ["q"]}) for one in made))
    assert await counts(calls) == {"p": 0, "q": 8}


async def test_a_tag_is_refused_when_its_color_is_none(calls):
    answer = await calls("PUT", TAGS, {"name": "a", "color": "red"})
    assert (answer.status, answer.fields) == (422, ["color"])
