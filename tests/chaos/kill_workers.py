"""Kill workers with SIGKILL at random moments of a run, and count rows lost and doubled.

    make chaos                      # 20 rounds
    make chaos ROUNDS=100

Starts a platform of its own with two task workers. Each round runs one recipe over a corpus whose right result is known
from how it was made, kills a random process of the run (a task worker, or one of its operator processes) at a random
moment, waits for the run to end, and compares the rows it published with the truth.
"""

import argparse
import asyncio
import contextlib
import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil

from datamate import Client
from datamate.app.supervisor.platform import Platform
from datamate.config.root import load_settings

RECIPE = """
process:
  - clean_email_mapper:
  - clean_links_mapper:
  - whitespace_normalization_mapper:
  - text_length_filter:
      min_len: 100
  - document_deduplicator:
"""
ROWS = 60_000
WORDS = ("data", "model", "token", "corpus", "filter", "clean", "row", "batch", "engine", "shard", "page", "merge")


@dataclass(frozen=True)
class Corpus:
    """Lines of JSON and what must become of them."""

    path: Path
    kept: frozenset[str]
    dropped: int
    quarantined: int


@dataclass
class Tally:
    """What all rounds together showed."""

    rounds: int = 0
    lost: int = 0
    doubled: int = 0
    foreign: int = 0
    incomplete: int = 0
    killed: Counter = None


def make_corpus(folder: Path, seed: int) -> Corpus:
    """Write a corpus with short rows, repeated rows and broken lines, spread over four files."""
    rng = random.Random(seed)
    kept, dropped, quarantined = set(), 0, 0
    originals: list[str] = []
    folder.mkdir()
    for part in range(4):
        with (folder / f"part-{part}.jsonl").open("w") as lines:
            for number in range(part * ROWS // 4, (part + 1) * ROWS // 4):
                identifier, chance = f"row-{number}", rng.random()
                if chance < 0.01:
                    lines.write(f'{{"id": "{identifier}", "text": broken\n')
                    quarantined += 1
                    continue
                if chance < 0.1:
                    text = "too short"
                    dropped += 1
                elif chance < 0.2 and originals:
                    text = rng.choice(originals)
                    dropped += 1
                else:
                    text = f"{number} " + " ".join(rng.choices(WORDS, k=rng.randrange(60, 180)))
                    originals.append(text)
                    kept.add(identifier)
                lines.write(json.dumps({"id": identifier, "text": text}) + "\n")
    return Corpus(folder, frozenset(kept), dropped, quarantined)


def run_round(client: Client, dataset_id: str, name: str, kill) -> tuple[object, Counter]:
    """Run the recipe once, let `kill` do its work meanwhile, and return the account and the ids published."""
    run = client.runs.create(RECIPE, dataset_id, output_name=name)
    kill(run)
    summary = client.runs.wait(run.id)
    published = client.runs.get(run.id)
    with tempfile.TemporaryDirectory() as folder:
        client.datasets.download(published.output_dataset_id, Path(folder))
        ids = Counter(
            json.loads(line)["id"] for file in Path(folder).rglob("*.jsonl") for line in file.open(encoding="utf-8")
        )
    client.datasets.delete(published.output_dataset_id)
    return summary, ids


def victims(platform: Platform) -> dict[str, list[psutil.Process]]:
    """Return the processes that a run may be in the hands of, by role."""
    workers = [psutil.Process(pid) for name, pid in platform.process_ids.items() if name.startswith("worker")]
    children = []
    for worker in workers:
        with contextlib.suppress(psutil.NoSuchProcess):
            children += worker.children(recursive=True)
    return {"task worker": workers, "operator process": children}


def killer(platform: Platform, rng: random.Random, seconds: float, tally: Tally):
    """Return what kills one process at a random moment of a run."""

    def kill(_run: object) -> None:
        time.sleep(rng.uniform(0, seconds))
        role = rng.choice(["task worker", "operator process"])
        found = victims(platform)
        chosen = found[role] or found["task worker"]
        role = role if found[role] else "task worker"
        with contextlib.suppress(psutil.NoSuchProcess):
            rng.choice(chosen).kill()
            tally.killed[role] += 1

    return kill


def attack(platform: Platform, password: str, args: argparse.Namespace, folder: Path) -> Tally:
    """Run all rounds and return what they showed."""
    rng = random.Random(args.seed)
    corpus = make_corpus(folder / "corpus", args.seed)
    tally = Tally(killed=Counter())
    with Client.login(platform.url, "admin", password) as client:
        dataset = client.datasets.create("chaos")
        client.datasets.upload(dataset.id, corpus.path)
        started = time.monotonic()
        run_round(client, dataset.id, "undisturbed", lambda run: None)
        seconds = time.monotonic() - started
        print(f"undisturbed run: {seconds:.1f} s; seed {args.seed}", flush=True)
    for number in range(1, args.rounds + 1):
        # A new sign-in each round: access tokens live shorter than many rounds.
        with Client.login(platform.url, "admin", password) as client:
            started = time.monotonic()
            kill = killer(platform, rng, seconds, tally)
            summary, ids = run_round(client, dataset.id, f"round-{number}", kill)
        lost, foreign = len(corpus.kept - set(ids)), len(set(ids) - corpus.kept)
        doubled = sum(count - 1 for count in ids.values())
        account = (summary.rows_in, summary.kept, summary.dropped, summary.quarantined)
        complete = account == (ROWS, len(corpus.kept), corpus.dropped, corpus.quarantined)
        tally.rounds += 1
        tally.lost += lost
        tally.foreign += foreign
        tally.doubled += doubled
        tally.incomplete += not complete
        took = time.monotonic() - started
        print(f"round {number:>3}: {took:5.1f} s, lost {lost}, doubled {doubled}, account {account}", flush=True)
    return tally


async def main() -> int:
    """Run the attack on a platform of its own; fail if a row was lost, doubled or miscounted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="datamate-chaos-") as temporary:
        folder = Path(temporary)
        # The embedded engines may run as another user.
        folder.chmod(0o755)  # noqa: ASYNC240 - nothing else runs yet
        settings = load_settings()
        worker = settings.worker.model_copy(update={"processes": 2, "lease_seconds": 3.0, "heartbeat_seconds": 0.5})
        gateway = settings.gateway.model_copy(update={"port": 0})
        update = {"home": folder / "home", "worker": worker, "gateway": gateway}
        async with Platform(settings.model_copy(update=update)) as platform:
            password = platform.first_administrator.password
            tally = await asyncio.to_thread(attack, platform, password, args, folder)
    print(
        f"\n{tally.rounds} rounds, killed {dict(tally.killed)}: rows lost {tally.lost}, doubled {tally.doubled}, "
        f"foreign {tally.foreign}, runs with a wrong account {tally.incomplete}"
    )
    return 1 if tally.lost or tally.doubled or tally.foreign or tally.incomplete else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
