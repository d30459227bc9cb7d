"""Compare the operators with Data-Juicer's on fresh hostile texts, seed after seed.

    python tests/bench/compare_operators.py DJ_PYTHON [--first-seed 2] [--rounds 5] [--count 3000]

DJ_PYTHON is the interpreter of an environment that `make_golden.py` describes. Exits 1 on the first difference, and
shows the shortest text that tells the two apart.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl

from datamate.operators.base import Filter
from datamate.operators.evaluation import evaluate
from datamate.operators.registry import build_operator


def replay(case: dict, texts: list[str]) -> tuple[list | None, list[bool] | None]:
    """Return `values` and `keep` as DataMate computes them for a case of `make_golden.py`."""
    operator = build_operator(case["operator"], case["params"])
    evaluation = evaluate(operator, pl.DataFrame({"text": texts}, schema={"text": pl.String}))
    if evaluation.failures:
        raise AssertionError(evaluation.failures)
    values = evaluation.values.to_list()
    if case["values"] is None:
        return None, evaluation.values.is_first_distinct().to_list()
    keep = operator.keep(evaluation.values).to_list() if isinstance(operator, Filter) else None
    return values, keep


def first_difference(golden: dict) -> str | None:
    """Return a description of the shortest text on which a case differs, or None when all cases agree."""
    texts = golden["texts"]
    for case in golden["cases"]:
        values, keep = replay(case, texts)
        for theirs, ours in ((case["values"], values), (case["keep"], keep)):
            wrong = [row for row in range(len(texts)) if theirs is not None and theirs[row] != ours[row]]
            if wrong:
                row = min(wrong, key=lambda row: len(texts[row]))
                what = f"{case['operator']} {case['params']}: {len(wrong)} rows differ"
                return f"{what}\n  text   {texts[row]!a}\n  theirs {theirs[row]!a}\n  ours   {ours[row]!a}"
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("python", type=Path)
    parser.add_argument("--first-seed", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=3_000)
    args = parser.parse_args()
    script = Path(__file__).with_name("make_golden.py")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "golden.json"
        for seed in range(args.first_seed, args.first_seed + args.rounds):
            command = [args.python, script, out, "--seed", str(seed), "--count", str(args.count)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            golden = json.loads(out.read_text())
            difference = first_difference(golden)
            print(f"seed {seed}: {difference or 'all cases agree'}")
            if difference:
                sys.exit(1)


if __name__ == "__main__":
    main()
