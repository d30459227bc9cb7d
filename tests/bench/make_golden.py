"""Record what Data-Juicer makes of hostile texts, as the truth the operators' unit tests compare with.

    DJ_PYTHON tests/bench/make_golden.py OUT.json [--seed 1] [--count 100]

Runs inside an environment of py-data-juicer 1.6.1 with selectolax 1.0.2, ftfy 6.3.1, aiohttp and CPU torch. Writes
{"python", "texts", "cases": [{"operator", "params", "values", "keep"}]}: for a mapper `values` are the new texts, for
a filter the metrics and `keep` the rows kept, for a deduplicator `values` are null and `keep` the rows kept.
"""

import argparse
import importlib
import json
import platform
from pathlib import Path

from hostile_text import texts

STATS = "__dj__stats__"
CASES = (
    ("clean_email_mapper", {}),
    ("clean_email_mapper", {"repl": "<$1 EMAIL>"}),
    ("clean_links_mapper", {}),
    ("clean_links_mapper", {"repl": "[${0}]"}),
    ("clean_links_mapper", {"repl": r"<\1>"}),
    ("clean_ip_mapper", {}),
    ("clean_ip_mapper", {"pattern": r"r'(?<![0-9])(\p{Nd}+)\.'", "repl": r"\1;"}),
    ("whitespace_normalization_mapper", {}),
    ("fix_unicode_mapper", {}),
    ("fix_unicode_mapper", {"normalization": "nfkd"}),
    ("clean_html_mapper", {}),
    ("punctuation_normalization_mapper", {}),
    ("text_length_filter", {"min_len": 20, "max_len": 90}),
    ("text_length_filter", {"min_len": 20, "max_len": 90, "min_closed_interval": False, "reversed_range": True}),
    ("alphanumeric_filter", {"max_ratio": 0.8}),
    ("special_characters_filter", {}),
    ("average_line_length_filter", {"max_len": 60}),
    ("maximum_line_length_filter", {"min_len": 5, "max_len": 60}),
    ("maximum_line_length_filter", {"min_len": 5, "max_len": 60, "reversed_range": True}),
    ("word_repetition_filter", {"rep_len": 1}),
    ("word_repetition_filter", {"rep_len": 3}),
    ("word_repetition_filter", {"max_ratio": 0.2}),
    ("character_repetition_filter", {"rep_len": 1, "min_ratio": 0.3}),
    ("character_repetition_filter", {"rep_len": 3, "max_ratio": 0.2}),
    ("character_repetition_filter", {"max_ratio": 0.05}),
    ("document_deduplicator", {}),
    ("document_deduplicator", {"lowercase": True}),
    ("document_deduplicator", {"ignore_non_character": True}),
    ("document_deduplicator", {"lowercase": True, "ignore_non_character": True}),
)


def run_case(name: str, params: dict, inputs: list[str]) -> dict:
    """Return what the operator makes of the texts."""
    kind = name.rpartition("_")[2]
    module = importlib.import_module(f"data_juicer.ops.{kind}.{name}")
    operator = getattr(module, "".join(part.capitalize() for part in name.split("_")))(**params)
    case = {"operator": name, "params": params, "values": None, "keep": None}
    if kind == "mapper":
        case["values"] = operator.process_batched({"text": list(inputs)})["text"]
    elif kind == "filter":
        samples = operator.compute_stats_batched({"text": list(inputs), STATS: [{} for _ in inputs]})
        case["values"] = [next(iter(stats.values())) for stats in samples[STATS]]
        case["keep"] = [bool(kept) for kept in operator.process_batched(samples)]
    else:
        hashes = [operator.compute_hash({"text": text})["__dj__hash"] for text in inputs]
        case["keep"] = [value not in hashes[:place] for place, value in enumerate(hashes)]
    return case


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    args = parser.parse_args()
    inputs = texts(args.seed, args.count)
    cases = [run_case(name, params, inputs) for name, params in CASES]
    golden = {"python": platform.python_version(), "texts": inputs, "cases": cases}
    args.out.write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
