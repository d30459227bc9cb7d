"""Any sequence of changes, against a model: one dictionary of path to content for each version."""

from blake3 import blake3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datamate.contracts.data_management.datasets import CreateDatasetRequest
from datamate.contracts.data_management.files import File
from datamate.core.ids import new_id
from datamate.platform.cache import Cache
from datamate.platform.db import Database
from datamate.services.data_management.blobs.repository import PlacedContent, find_by_hashes, insert_missing
from datamate.services.data_management.datasets.service import create_dataset, find_dataset, lock_dataset
from datamate.services.data_management.files.service import list_files
from datamate.services.data_management.versions.changes import Change, ChangeSet
from datamate.services.data_management.versions.commit import commit_changes
from datamate.services.data_management.versions.service import diff, get_version
from datamate.storage import ContentHash

Files = dict[str, bytes]

PATHS = ["B", "a", "a b", "b/c", "b/d", "z/é", "日"]
CONTENTS = [b"", b"1", b"22", b"333"]

steps = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(PATHS), st.sampled_from(CONTENTS), max_size=5),
        st.sets(st.sampled_from(PATHS), max_size=3),
        st.booleans(),
    ),
    min_size=1,
    max_size=7,
)


class History:
    """One dataset and what it ought to hold in each version."""

    def __init__(self, database: Database, cache: Cache) -> None:
        self._database, self._cache = database, cache
        self.versions: list[Files] = [{}]
        self.dataset_id = ""

    async def begin(self) -> None:
        async with self._database.transaction() as session:
            request = CreateDatasetRequest(name=new_id())
            self.dataset_id = (await create_dataset(session, request, created_by="1")).id
            known = [ContentHash(len(content), blake3(content).hexdigest()) for content in CONTENTS]
            await insert_missing(session, [PlacedContent(one, f"blobs/{one.hash}", None) for one in known])

    async def apply(self, puts: Files, removed: set[str], *, replaces_all: bool) -> None:
        now = self.versions[-1]
        removed = removed & now.keys() - puts.keys()
        kept = {} if replaces_all else {path: content for path, content in now.items() if path not in removed}
        after = {**kept, **puts}
        if after == now:
            return
        async with self._database.transaction() as session:
            dataset = await lock_dataset(session, self.dataset_id)
            blobs = await find_by_hashes(session, {blake3(content).hexdigest() for content in puts.values()})
            changes = [
                Change(path, blobs[blake3(content).hexdigest()].id, size_bytes=len(content), media_type="x/y")
                for path, content in puts.items()
            ]
            gone = [Change(path, None) for path in removed]
            change_set = ChangeSet(created_by="1", replaces_all=replaces_all, base_version=dataset.version)
            await commit_changes(session, dataset, change_set, [*changes, *gone], cache=self._cache)
        self.versions.append(after)

    async def check(self) -> None:
        seen: dict[str, dict[int, str]] = {}
        for number, files in enumerate(self.versions[1:], 1):
            for file in await self._check_version(number, files):
                seen.setdefault(file.path, {})[number] = file.id
            for base in range(number):
                await self._check_diff(base, number)
        self._check_ids(seen)
        async with self._database.reader() as session:
            row = await find_dataset(session, self.dataset_id)
        newest = self.versions[-1]
        assert (row.version, row.file_count) == (len(self.versions) - 1, len(newest))
        assert row.size_bytes == sum(map(len, newest.values()))

    async def _check_version(self, number: int, files: Files) -> list[File]:
        async with self._database.reader() as session:
            page = await list_files(session, self.dataset_id, version=number, prefix="", cursor=None, limit=100)
        assert [(file.path, file.hash) for file in page.items] == [
            (path, blake3(files[path]).hexdigest()) for path in sorted(files, key=str.encode)
        ]
        before = self.versions[number - 1]
        version = await get_version(self._database, self.dataset_id, number)
        assert (version.file_count, version.size_bytes) == (len(files), sum(map(len, files.values())))
        assert version.added == len(files.keys() - before.keys())
        assert version.removed == len(before.keys() - files.keys())
        assert version.changed == sum(files[path] != before[path] for path in files.keys() & before.keys())
        same = [other for other, held in enumerate(self.versions[1:number], 1) if held == files]
        for other in same:
            assert (await get_version(self._database, self.dataset_id, other)).hash == version.hash
        return page.items

    async def _check_diff(self, base: int, number: int) -> None:
        older, newer = self.versions[base], self.versions[number]
        async with self._database.reader() as session:
            page = await diff(session, self.dataset_id, number, base=base, cursor=None, limit=100)
        expected = dict.fromkeys(older.keys() - newer.keys(), "removed")
        expected |= dict.fromkeys(newer.keys() - older.keys(), "added")
        expected |= {path: "changed" for path in newer.keys() & older.keys() if newer[path] != older[path]}
        assert [(change.path, change.change) for change in page.items] == [
            (path, expected[path]) for path in sorted(expected, key=str.encode)
        ]

    @staticmethod
    def _check_ids(seen: dict[str, dict[int, str]]) -> None:
        """An id stays from one version to the next, and never comes back after its file was gone."""
        for by_version in seen.values():
            for number, file_id in by_version.items():
                earlier = [other for other, known in by_version.items() if other < number and known == file_id]
                assert earlier == [*range(number - len(earlier), number)]
                assert (number - 1 not in by_version) or by_version[number - 1] == file_id


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=steps)
async def test_every_version_stays_what_it_was_whatever_comes_after(database, cache, changes):
    history = History(database, cache)
    await history.begin()
    for puts, removed, replaces_all in changes:
        await history.apply(puts, removed, replaces_all=replaces_all)
    await history.check()
