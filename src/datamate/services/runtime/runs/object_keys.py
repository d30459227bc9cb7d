"""Where the object store keeps what a run leaves."""


def dropped_key(run_id: str) -> str:
    """Return the object of the dropped rows of a run: lines of JSON."""
    return f"runs/{run_id}/dropped.jsonl"


def quarantine_key(run_id: str) -> str:
    """Return the object of the quarantined rows of a run: lines of JSON."""
    return f"runs/{run_id}/quarantine.jsonl"


def rows_prefix(run_id: str) -> str:
    """Return the folder of the fate of every row of a run: Parquet files."""
    return f"runs/{run_id}/rows/"


def parts_prefix(run_id: str) -> str:
    """Return the folder of the committed part files of a run, which are of use until it ends."""
    return f"runs/{run_id}/parts/"


def staged_result_key(run_id: str, fence: int, suffix: str) -> str:
    """Return the object of the result of a run before it is published, one for each claim of its task."""
    return f"staging/runs/{run_id}/{fence}/result{suffix}"
