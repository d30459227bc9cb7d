import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from datamate.core.errors import InvalidInputError
from datamate.operators.base import Deduplicator, Mapper, OperatorKind, Params, Spec
from datamate.operators.errors import OperatorContractError, RowError
from datamate.operators.evaluation import RowFailure, evaluate

MAPPER = Spec(name="upper", version=1, kind=OperatorKind.MAPPER, summary="", writes=("text_key",))


class ByRow(Mapper[Params]):
    spec, params_type = MAPPER, Params

    def execute(self, sample):
        if sample["text"] == "bad":
            raise RowError("this text is bad")
        if sample["text"] == "worse":
            raise KeyError("worse")
        return sample["text"].upper()


class ByBatch(Mapper[Params]):
    spec, params_type = MAPPER, Params
    batches = 0

    def process(self, batch):
        self.batches += 1
        assert batch.schema.names == ["text"]
        if "bad" in batch.column("text").to_pylist():
            raise RowError("this text is bad")
        return pc.utf8_upper(batch.column("text").cast(pa.string()))


class ByExpression(ByBatch):
    def expr(self):
        return pl.col("text").map_batches(self._upper, return_dtype=pl.String, is_elementwise=True)

    @staticmethod
    def _upper(texts):
        if (texts == "bad").any():
            raise RowError("this text is bad")
        return texts.str.to_uppercase()


def frame(*texts):
    return pl.DataFrame({"id": range(len(texts)), "text": texts}, schema={"id": pl.Int64, "text": pl.String})


@pytest.mark.parametrize("operator_type", [ByRow, ByBatch, ByExpression])
def test_values_align_with_the_rows_when_some_rows_fail(operator_type):
    evaluation = evaluate(operator_type(Params()), frame("a", None, "bad", "b", "c", "bad", "d"))

    assert evaluation.values.to_list() == ["A", None, None, "B", "C", None, "D"]
    assert evaluation.failures == (
        RowFailure(1, "row_error", "column 'text' is null"),
        RowFailure(2, "row_error", "this text is bad"),
        RowFailure(5, "row_error", "this text is bad"),
    )


@pytest.mark.parametrize("operator_type", [ByRow, ByBatch, ByExpression])
@pytest.mark.parametrize(("texts", "values"), [((), []), ((None, None), [None, None]), (("x",), ["X"])])
def test_every_row_is_accounted_for_when_the_frame_is_small_or_null(operator_type, texts, values):
    evaluation = evaluate(operator_type(Params()), frame(*texts))

    assert evaluation.values.to_list() == values
    assert evaluation.values.dtype == pl.String
    assert len(evaluation.failures) == values.count(None)


def test_expression_is_preferred_when_a_batch_would_do_as_well():
    operator = ByExpression(Params())

    assert evaluate(operator, frame("a")).values.to_list() == ["A"]
    assert operator.batches == 0


def test_batch_runs_once_when_no_row_fails():
    operator = ByBatch(Params())

    evaluate(operator, pl.concat([frame("a"), frame("b")], rechunk=False))

    assert operator.batches == 1


def test_few_batches_run_when_one_row_of_many_fails():
    operator = ByBatch(Params())

    evaluation = evaluate(operator, frame(*["a"] * 700, "bad", *["b"] * 300))

    assert [failure.index for failure in evaluation.failures] == [700]
    assert operator.batches <= 2 * 10 + 1


def test_failure_names_the_error_when_it_is_of_no_known_kind():
    evaluation = evaluate(ByRow(Params()), frame("worse"))

    assert evaluation.failures == (RowFailure(0, "operator_failed", "KeyError: 'worse'"),)


def test_failure_leaves_out_the_expression_when_polars_ran_the_function():
    class Broken(ByExpression):
        @staticmethod
        def _upper(texts):
            raise ValueError("no luck")

    evaluation = evaluate(Broken(Params()), frame("a"))

    assert evaluation.failures == (RowFailure(0, "operator_failed", "ValueError: no luck"),)


def test_frame_is_refused_when_it_lacks_the_column():
    with pytest.raises(InvalidInputError, match=r"upper reads column 'body' \(text_key\).*it has: id, text"):
        evaluate(ByRow(Params(text_key="body")), frame("a"))


def test_frame_is_refused_when_the_text_is_no_text():
    with pytest.raises(InvalidInputError, match="'id', which holds Int64"):
        evaluate(ByRow(Params(text_key="id")), frame("a"))


class Returns(Mapper[Params]):
    """Returns what it is told to, whatever the input."""

    spec, params_type = MAPPER, Params

    def __init__(self, answer):
        super().__init__(Params())
        self.answer = answer

    def process(self, batch):
        return self.answer


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (pl.Series(["A"]), "1 values for 2 rows"),
        (pl.Series(["A", None]), "null for 1 rows"),
        (pl.Series([1, 2]), "type Int64"),
    ],
)
def test_evaluation_stops_when_the_operator_breaks_its_contract(answer, message):
    with pytest.raises(OperatorContractError, match=message):
        evaluate(Returns(answer), frame("a", "b"))


def test_evaluation_stops_when_a_key_has_the_wrong_size():
    class ShortKey(Deduplicator[Params]):
        spec = Spec(name="short", version=1, kind=OperatorKind.DEDUPLICATOR, summary="")
        params_type = Params

        def execute(self, sample):
            return b"short"

    with pytest.raises(OperatorContractError, match="not 16 bytes"):
        evaluate(ShortKey(Params()), frame("a"))


@pytest.mark.parametrize("answer", [None, 3])
def test_evaluation_stops_when_execute_returns_no_text(answer):
    class NoText(Mapper[Params]):
        spec, params_type = MAPPER, Params

        def execute(self, sample):
            return answer

    with pytest.raises(OperatorContractError, match="upper returned"):
        evaluate(NoText(Params()), frame("a"))
