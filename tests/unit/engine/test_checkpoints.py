import errno
import os

import pytest

from datamate.core.errors import StorageFullError
from datamate.engine.accounting import ChangedRow, OperatorCounts, PartitionCounts
from datamate.engine.checkpoints import Commit, FileCheckpointStore, is_locked
from datamate.engine.errors import FenceLostError, RunConflictError

COUNTS = PartitionCounts(
    3, 1, 1, 1, 40, 20, (OperatorCounts("a", 3, 1, 2, 1, 0.5),), (ChangedRow("a", "s", 1, "b", "c"),)
)
FIRST = Commit("stage0", 0, 1, "stage0-000000-x-1", COUNTS)
SECOND = Commit("stage0", 1, 2, "stage0-000001-x-2", COUNTS)


@pytest.fixture
def reopened(tmp_path):
    """Opens the store of one folder, closing the one before."""
    stores: list[FileCheckpointStore] = []

    def reopen(key: str = "k"):
        for store in stores:
            store.close()
        stores.append(FileCheckpointStore(tmp_path))
        return stores[-1], stores[-1].open(key)

    yield reopen
    for store in stores:
        store.close()


def test_commits_are_found_when_the_run_is_opened_again(reopened):
    store, commits = reopened()
    assert commits == []
    store.commit(FIRST)
    store.commit(SECOND)
    assert reopened()[1] == [FIRST, SECOND]


def test_first_commit_stays_when_a_partition_is_committed_twice(reopened):
    store, _ = reopened()
    store.commit(FIRST)
    store.commit(Commit("stage0", 0, 2, "other", COUNTS))
    assert reopened()[1] == [FIRST]


def test_commits_are_forgotten_when_the_key_is_another(reopened):
    store, _ = reopened("k")
    store.commit(FIRST)
    assert reopened("l")[1] == []
    assert reopened("l")[1] == []


def test_whole_commits_are_found_when_a_crash_cut_the_last(reopened, tmp_path):
    store, _ = reopened()
    store.commit(FIRST)
    store.commit(SECOND)
    journal = tmp_path / "commits.jsonl"
    journal.write_bytes(journal.read_bytes()[:-5])
    store, commits = reopened()
    assert commits == [FIRST]
    store.commit(SECOND)
    assert reopened()[1] == [FIRST, SECOND]


def test_second_process_is_refused_when_one_works_on_the_run(reopened, tmp_path):
    store, _ = reopened()
    assert is_locked(tmp_path)
    with pytest.raises(RunConflictError, match="Another process is working"):
        FileCheckpointStore(tmp_path).open("k")
    store.close()
    assert not is_locked(tmp_path)
    assert not is_locked(tmp_path / "nowhere")


def test_commit_is_refused_when_the_run_was_taken_over(reopened, tmp_path):
    store, _ = reopened()
    (tmp_path / "fence").write_text("99")
    with pytest.raises(FenceLostError):
        store.commit(FIRST)


def test_journal_stays_readable_when_the_disk_is_full(reopened, monkeypatch):
    store, _ = reopened()
    store.commit(FIRST)
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:10]))
    with pytest.raises(StorageFullError, match=r"commits\.jsonl"):
        store.commit(SECOND)
    monkeypatch.undo()
    assert reopened()[1] == [FIRST]


def test_disk_is_named_when_it_cannot_be_written(tmp_path):
    with pytest.raises(Exception, match=os.strerror(errno.ENOENT)):
        FileCheckpointStore(tmp_path / "nowhere").open("k")
