"""Fixtures of the engine's tests: real files, and real worker processes that most tests share."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from datamate.engine.accounting import RunSummary
from datamate.engine.local.pool import WorkerPool
from datamate.engine.recipe import Recipe, parse_recipe
from datamate.engine.run import RunOptions, run_recipe


class SharedPool:
    """Worker processes for all tests of a file; renewed after a failed run, which may leave them busy."""

    def __init__(self) -> None:
        self._pool: WorkerPool | None = None

    def run(self, recipe: Recipe, options: RunOptions) -> RunSummary:
        if self._pool is None:
            self._pool = WorkerPool()
        try:
            return run_recipe(recipe, options, pool=self._pool)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._pool is not None:
            self._pool.__exit__(None, None, None)
            self._pool = None


@pytest.fixture(scope="module")
def shared_pool() -> Iterator[SharedPool]:
    pool = SharedPool()
    yield pool
    pool.close()


Run = Callable[..., RunSummary]


@pytest.fixture
def run(shared_pool: SharedPool, tmp_path: Path) -> Run:
    """Runs a `process:` over a file; the output is `out.jsonl` of the test's folder unless said otherwise."""

    def run_process(dataset: Path, process: str = "[]", *, out: str = "out.jsonl", extra: str = "", **options):
        recipe = parse_recipe(
            f"dataset_path: {dataset}\nexport_path: {tmp_path / out}\nnp: 2\n{extra}\nprocess: {process}\n"
        )
        return shared_pool.run(recipe, RunOptions(**options))

    return run_process


@pytest.fixture
def write_rows(tmp_path: Path) -> Callable[..., Path]:
    """Writes rows as lines of JSON; rows that are bytes are written as they are."""

    def write(rows: Iterable[object], name: str = "in.jsonl") -> Path:
        lines = (row if isinstance(row, bytes) else json.dumps(row, ensure_ascii=False).encode() for row in rows)
        path = tmp_path / name
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return path

    return write


@pytest.fixture
def read_rows() -> Callable[[Path], list[dict[str, object]]]:
    return lambda path: [json.loads(line) for line in path.read_bytes().splitlines()]
