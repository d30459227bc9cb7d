"""Time the ten-operator recipe on DataMate, on Data-Juicer and as a plain Polars script, and compare their rows.

    make bench                                  # 17.5 MB and 175 MB, every engine
    make bench ARGS="--copies 1 --repeats 5 --without data-juicer"

Everything it needs goes to `.bench/`: a corpus made of Debian packages (see make_corpus.py) and Data-Juicer in an
environment of its own. Each figure is the wall time of a whole process; the engines take turns, so that a change in the
machine's speed meets all of them. Ratios are medians of the turns.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from process_meter import Measurement, measure, peak_memory

HERE = Path(__file__).parent
WORK = HERE.parents[1] / ".bench"
CORES = 2
GOALS = {
    ("data-juicer", 1): 25.0,
    ("data-juicer", 10): 30.0,
    ("polars script", 1): 1 / 0.7,
    ("polars script", 10): 1 / 0.7,
}


@dataclass
class Engine:
    """One way to run the recipe."""

    name: str
    output: Path
    command: list[str | Path]
    env: dict[str, str]
    measurements: list[Measurement] = field(default_factory=list)
    peak_bytes: int = 0

    def run(self, log: Path) -> None:
        """Run once from nothing and keep the time it took."""
        self._clear()
        self.measurements.append(measure(self.command, log=log, env=self.env))

    def run_for_memory(self, log: Path) -> None:
        """Run once from nothing and keep the memory it took; warms the caches for the runs that are timed."""
        self._clear()
        self.peak_bytes = peak_memory(self.command, log=log, env=self.env)

    def _clear(self) -> None:
        for stale in self.output.parent.glob("*"):
            subprocess.run(["rm", "-rf", stale], check=True)

    def wall(self) -> float:
        """Return the median wall time in seconds."""
        return statistics.median(item.wall_seconds for item in self.measurements)


def corpus(copies: int) -> Path:
    """Return the corpus of seed 1 with that many copies, made on first use."""
    folder = WORK / f"corpus-{copies}"
    if not (folder / "corpus.jsonl").exists():
        subprocess.run(
            [sys.executable, HERE / "make_corpus.py", folder, "--seed", "1", "--copies", str(copies)], check=True
        )
    return folder / "corpus.jsonl"


def data_juicer() -> Path:
    """Return the dj-process command, installed on first use with all that its operators would fetch at run time."""
    venv = WORK / "data-juicer"
    if not (venv / "installed").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
        pip = [venv / "bin" / "python", "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "torch==2.13.0"], check=True)
        subprocess.run([*pip, "-r", HERE / "data_juicer.txt"], check=True)
        (venv / "installed").touch()
    return venv / "bin" / "dj-process"


def write_recipe(source: Path, output: Path, place: Path) -> Path:
    """Write recipe.yaml with its two paths set."""
    recipe = yaml.safe_load((HERE / "recipe.yaml").read_text())
    recipe |= {"dataset_path": str(source), "export_path": str(output)}
    place.write_text(yaml.safe_dump(recipe, sort_keys=False))
    return place


def engines(source: Path, without: set[str]) -> list[Engine]:
    """Return the engines to compare, DataMate first."""
    scripts = Path(sys.executable).parent
    base = {**os.environ, "POLARS_MAX_THREADS": str(CORES), "HF_HUB_OFFLINE": "1", "HF_HOME": str(WORK / "hf")}
    outputs = {
        name: WORK / "out" / name.replace(" ", "-") / "out.jsonl"
        for name in ("datamate", "polars script", "data-juicer")
    }
    for output in outputs.values():
        output.parent.mkdir(parents=True, exist_ok=True)
    made = []
    recipe = write_recipe(source, outputs["datamate"], WORK / "datamate.yaml")
    made.append(Engine("datamate", outputs["datamate"], [scripts / "datamate", "run", recipe, "--json"], base))
    if "polars-script" not in without:
        script = [sys.executable, HERE / "peer_polars.py", source, outputs["polars script"]]
        made.append(Engine("polars script", outputs["polars script"], script, base))
    if "data-juicer" not in without:
        recipe = write_recipe(source, outputs["data-juicer"], WORK / "data-juicer.yaml")
        command = [data_juicer(), "--config", recipe]
        made.append(
            Engine("data-juicer", outputs["data-juicer"], command, base | {"HF_DATASETS_CACHE": str(WORK / "hf-cache")})
        )
    return made


def rows_digest(path: Path) -> tuple[int, str]:
    """Return the number of rows, and a digest over (id, text) in order."""
    digest = hashlib.sha256()
    count = 0
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            digest.update(json.dumps([row["id"], row["text"]]).encode())
            count += 1
    return count, digest.hexdigest()


def compare(copies: int, repeats: int, without: set[str]) -> dict[str, object]:
    """Run every engine in turn on one corpus, check that the rows are equal, and return the figures."""
    source = corpus(copies)
    field_ = engines(source, without)
    for engine in field_:
        engine.run_for_memory(WORK / "log.txt")
    for _ in range(repeats):
        for engine in field_:
            engine.run(WORK / "log.txt")
    digests = {engine.name: rows_digest(engine.output) for engine in field_}
    ours = field_[0]
    return {
        "copies": copies,
        "megabytes": round(source.stat().st_size / 1e6, 1),
        "repeats": repeats,
        "rows_out": digests[ours.name][0],
        "rows_equal": {engine.name: digests[engine.name] == digests[ours.name] for engine in field_[1:]},
        "engines": [
            {
                "name": engine.name,
                "wall_seconds": round(engine.wall(), 2),
                "cpu_seconds": round(statistics.median(item.cpu_seconds for item in engine.measurements), 2),
                "peak_mb": round(engine.peak_bytes / 1e6),
                "times_ours": round(
                    statistics.median(
                        theirs.wall_seconds / mine.wall_seconds
                        for theirs, mine in zip(engine.measurements, ours.measurements, strict=True)
                    ),
                    2,
                ),
                "goal": GOALS.get((engine.name, copies)),
            }
            for engine in field_
        ],
    }


def show(result: dict[str, object]) -> None:
    """Print one comparison as a table."""
    print(f"\n{result['megabytes']} MB, {result['rows_out']} rows out, median of {result['repeats']}, {CORES} cores")
    print(f"{'engine':<16}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'x ours':>9}{'goal':>8}  rows")
    for engine in result["engines"]:
        equal = result["rows_equal"].get(engine["name"])
        goal = f"{engine['goal']:.2f}" if engine["goal"] else ""
        verdict = {None: "", True: "equal", False: "DIFFERENT"}[equal]
        figures = (
            f"{engine['wall_seconds']:>9}{engine['cpu_seconds']:>9}{engine['peak_mb']:>9}{engine['times_ours']:>9}"
        )
        print(f"{engine['name']:<16}{figures}{goal:>8}  {verdict}")


def main() -> int:
    """Compare at each size; fail when rows differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--copies", type=int, action="append", help="corpus size; 1 is 17.5 MB (default: 1 and 10)")
    parser.add_argument("--repeats", type=int, default=3, help="turns of each engine")
    parser.add_argument("--without", action="append", default=[], choices=["data-juicer", "polars-script"])
    args = parser.parse_args()
    WORK.mkdir(exist_ok=True)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    results = [compare(copies, args.repeats, set(args.without)) for copies in args.copies or [1, 10]]
    for result in results:
        show(result)
    (WORK / "results.json").write_text(json.dumps(results, indent=2))
    return 0 if all(all(result["rows_equal"].values()) for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
