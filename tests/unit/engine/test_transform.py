"""One task at a time in this process, with an operator that refuses rows."""

import json

import pytest

from datamate.engine.dedup import find_duplicates
from datamate.engine.errors import BadRowError
from datamate.engine.inputs import discover_inputs
from datamate.engine.job import AttemptFiles, Job, JoinTask, TransformTask
from datamate.engine.partitions import plan_partitions
from datamate.engine.planner import build_operators, plan_recipe
from datamate.engine.recipe import parse_recipe
from datamate.engine.transform import transform
from datamate.operators.base import Mapper, OperatorKind, Params, Sample, Spec
from datamate.operators.errors import RowError


class RefusingMapper(Mapper[Params]):
    """Refuses texts that say no."""

    spec = Spec("refusing_mapper", 1, OperatorKind.MAPPER, "Refuses.", writes=("text_key",))
    params_type = Params

    def execute(self, sample: Sample) -> str:
        text = str(sample["text"])
        if "no" in text:
            raise RowError("it says no")
        return text


@pytest.fixture
def make_job(tmp_path, write_rows):
    """Makes a job over rows of JSON; its parts folder exists."""

    def make(rows, process: str, extra: str = "") -> tuple[Job, TransformTask]:
        recipe = parse_recipe(f"process: {process}\n{extra}")
        files = discover_inputs(str(write_rows(rows)))
        parts = tmp_path / "parts"
        parts.mkdir()
        (partition,) = plan_partitions(files)
        return Job(recipe, files, plan_recipe(recipe), parts, True, "me"), TransformTask(0, partition, attempt=1)

    return make


def test_original_row_is_quarantined_when_an_operator_refuses_it_after_a_deduplicator(make_job):
    # The second operator is played by one that refuses rows, which no built-in operator does at will.
    rows = [{"text": "same a@b.cd"}, {"text": "same"}, {"id": 7, "text": "no a@b.cd"}]
    job, first = make_job(rows, "[clean_email_mapper, document_deduplicator, clean_ip_mapper]")
    operators = build_operators(job.recipe)
    counts = transform(job, first, operators[:2], lambda _rows, _bytes: None)
    assert (counts.rows_in, counts.rows_out) == (3, 3)
    join = JoinTask(0, 0, 1, 1, (job.files_of(first).base,))
    find_duplicates([job.files_of(first).keys], job.files_of(join).duplicates, bucket=0, buckets=1)
    second = TransformTask(1, first.partition, 1, job.files_of(first).base, (job.files_of(join).base,))
    counts = transform(job, second, [RefusingMapper(Params())], lambda _rows, _bytes: None)
    files: AttemptFiles = job.files_of(second)
    (line,) = files.quarantine.read_text().splitlines()
    assert json.loads(json.loads(line)["raw"]) == rows[2]
    assert json.loads(line)["message"] == "it says no"
    assert (counts.rows_in, counts.rows_out, counts.dropped, counts.quarantined) == (3, 1, 1, 1)


def test_row_operator_and_reason_are_told_when_a_refused_row_ends_the_run(make_job):
    job, task = make_job([{"text": "yes"}, {"text": "no"}], "[clean_ip_mapper]", "on_error: fail")
    with pytest.raises(BadRowError, match=r"Row 1 of in\.jsonl failed in clean_ip_mapper: it says no\. Mend"):
        transform(job, task, [RefusingMapper(Params())], lambda _rows, _bytes: None)


def test_progress_is_told_when_batches_are_done(make_job):
    job, task = make_job([{"text": "a"}] * 3, "[clean_ip_mapper]")
    seen = []
    transform(job, task, build_operators(job.recipe), lambda rows, size: seen.append((rows, size)))
    assert seen == [(3, job.files[0].size_bytes)]
