"""Processes that are killed, disks that fill up, users who lose patience."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from datamate.core.errors import StorageFullError
from datamate.engine.coordinator import MAX_ATTEMPTS
from datamate.engine.errors import RunCancelledError, WorkerCrashedError, WorkerFailedError
from datamate.engine.job import TransformTask
from datamate.engine.ledger import read_rows
from datamate.engine.local.launch import HostProcess
from datamate.engine.local.pool import WorkerPool
from datamate.engine.recipe import parse_recipe
from datamate.engine.run import RunOptions, Watch, run_recipe

ROWS = 12_000
PARTITION_BYTES = 30_000
# Row by row in Python, so that there is time to kill something.
SLOW = '[{clean_links_mapper: {pattern: "w[a-z]+d (.*)x"}}, document_deduplicator, {text_length_filter: {min_len: 3}}]'


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("source") / "in.jsonl"
    lines = (json.dumps({"id": n, "text": f"word {n % (ROWS - 500)} and more of it"}) for n in range(ROWS))
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.fixture(scope="module")
def expected(source, tmp_path_factory) -> bytes:
    out = tmp_path_factory.mktemp("expected") / "out.jsonl"
    run_recipe(recipe(source, out))
    return out.read_bytes()


def recipe(source: Path, out: Path):
    return parse_recipe(f"dataset_path: {source}\nexport_path: {out}\nnp: 2\nprocess: {SLOW}")


def check_whole(summary, out: Path, expected: bytes) -> None:
    assert out.read_bytes() == expected
    assert summary.rows_in == ROWS == summary.kept + summary.dropped + summary.quarantined
    rows = read_rows(Path(summary.details_path))
    assert rows.select("source", "ordinal").n_unique() == len(rows) == ROWS


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_or_doubled_when_workers_are_killed_at_random(source, expected, tmp_path, seed):
    chance = random.Random(seed)
    killed: list[int] = []
    with WorkerPool() as pool:

        def kill(_progress) -> None:
            # One kill fewer than a partition survives, should they all meet the same one.
            pid = chance.choice(pool.workers).pid if chance.random() < 0.2 and len(killed) < MAX_ATTEMPTS - 1 else 0
            if pid:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

        options = RunOptions(partition_bytes=PARTITION_BYTES, watch=Watch(on_progress=kill))
        summary = run_recipe(recipe(source, tmp_path / "out.jsonl"), options, pool=pool)
    assert summary.workers_replaced == len(killed) == MAX_ATTEMPTS - 1
    check_whole(summary, tmp_path / "out.jsonl", expected)


def test_run_goes_on_when_the_host_of_the_workers_is_killed(source, expected, tmp_path):
    with WorkerPool() as pool:
        hosts = [pool._host.pid]

        def kill(progress) -> None:
            if progress.partitions_done >= 3 and len(hosts) == 1:
                os.kill(hosts[0], signal.SIGKILL)
                hosts.append(0)

        options = RunOptions(partition_bytes=PARTITION_BYTES, watch=Watch(on_progress=kill))
        summary = run_recipe(recipe(source, tmp_path / "out.jsonl"), options, pool=pool)
        assert pool._host.pid != hosts[0]
    check_whole(summary, tmp_path / "out.jsonl", expected)


def test_partition_is_named_when_it_kills_every_worker_that_takes_it(source, tmp_path):
    with WorkerPool() as pool:

        def kill(_progress) -> None:
            for worker in pool.workers:
                if isinstance(worker.task, TransformTask) and worker.task.partition.index == 1 and worker.pid:
                    os.kill(worker.pid, signal.SIGKILL)

        options = RunOptions(partition_bytes=source.stat().st_size // 2, watch=Watch(on_progress=kill))
        with pytest.raises(WorkerCrashedError, match=r"Partition 1 \(in\.jsonl, from \d+ to \d+\) killed .* 3 times"):
            run_recipe(recipe(source, tmp_path / "out.jsonl"), options, pool=pool)
    assert not (tmp_path / "out.jsonl").exists()


def test_run_stops_within_a_second_when_it_is_cancelled(source, tmp_path):
    cancelled_at: list[float] = []
    before = set(psutil.Process().children(recursive=True))

    def cancel() -> bool:
        if not cancelled_at and (tmp_path / "out.jsonl.datamate-run" / "commits.jsonl").exists():
            cancelled_at.append(time.monotonic())
        return bool(cancelled_at) and time.monotonic() > cancelled_at[0]

    options = RunOptions(partition_bytes=10**9, watch=Watch(is_cancelled=cancel))
    with pytest.raises(RunCancelledError):
        run_recipe(recipe(source, tmp_path / "out.jsonl"), options)
    assert time.monotonic() - cancelled_at[0] < 1.0
    assert set(psutil.Process().children(recursive=True)) <= before


RUN = """
import resource, sys
from datamate.engine.recipe import parse_recipe
from datamate.engine.run import RunOptions, run_recipe
limit = int(sys.argv[3])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
recipe = parse_recipe(sys.argv[1])
summary = run_recipe(recipe, RunOptions(partition_bytes=int(sys.argv[2]), resume=True))
print(summary.partitions_reused)
"""


def start(text: str, partition_bytes: int, *, limit: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RUN, text, str(partition_bytes), str(limit)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_commits(out: Path, count: int) -> None:
    journal = out.with_name(f"{out.name}.datamate-run") / "commits.jsonl"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if journal.exists() and journal.read_bytes().count(b"\n") > count:
            return
        time.sleep(0.005)
    raise AssertionError("no commits")


def test_run_resumes_when_its_process_was_killed(source, expected, tmp_path):
    out = tmp_path / "out.jsonl"
    text = f"dataset_path: {source}\nexport_path: {out}\nnp: 2\nprocess: {SLOW}"
    for commits in (3, 8):
        process = start(text, PARTITION_BYTES)
        wait_for_commits(out, commits)
        workers = psutil.Process(process.pid).children(recursive=True)
        assert len(workers) == 3
        process.kill()
        process.communicate()
        assert psutil.wait_procs(workers, timeout=5)[1] == []
        assert not out.exists()
    summary = run_recipe(recipe(source, out), RunOptions(resume=True, watch=Watch()))
    assert summary.partitions_reused >= 8
    check_whole(summary, out, expected)


def test_nothing_half_written_is_seen_when_the_disk_is_full(source, expected, tmp_path):
    out = tmp_path / "out.jsonl"
    text = f"dataset_path: {source}\nexport_path: {out}\nnp: 2\nprocess: {SLOW}"
    # A limit of the size of files gives the same errors as a full disk, without needing one.
    for limit in (20_000, 300_000):
        _, errors = start(text, PARTITION_BYTES, limit=limit).communicate()
        assert "StorageFullError: No space is left on the disk of" in errors
        assert str(tmp_path) in errors
        assert not out.exists()
    summary = run_recipe(recipe(source, out), RunOptions(resume=True))
    assert summary.partitions_reused > 0
    check_whole(summary, out, expected)


def test_journal_is_named_when_there_is_no_space_for_it(source, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(StorageFullError, match=r"manifest\.json"):
            run_recipe(recipe(source, tmp_path / "out.jsonl"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_reason_is_told_when_workers_cannot_start(source, tmp_path, monkeypatch, capfd):
    (tmp_path / "polars.py").write_text("raise ImportError('no polars here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(WorkerFailedError, match="cannot start"):
        run_recipe(recipe(source, tmp_path / "out.jsonl"))
    assert "no polars here" in capfd.readouterr().err


def test_host_ends_when_it_is_told_to():
    host = HostProcess()
    assert host.is_alive()
    host.kill()
    with pytest.raises(ChildProcessError):
        os.waitpid(host.pid, 0)
