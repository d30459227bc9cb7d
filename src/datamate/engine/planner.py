"""Checks a recipe against the operators and the data before anything moves, and cuts it into stages."""

import json
from collections.abc import Iterable, Sequence

import polars as pl

from datamate.core.errors import FieldError
from datamate.engine.accounting import distinct_names
from datamate.engine.errors import MissingColumnError
from datamate.engine.formats.readers import sample_columns
from datamate.engine.inputs import InputFile
from datamate.engine.plan import OperatorPlan, Plan, StagePlan
from datamate.engine.recipe_model import Recipe, Step, raise_problems
from datamate.operators.base import Operator, OperatorKind, Params
from datamate.operators.errors import InvalidParamsError, UnknownOperatorError
from datamate.operators.registry import build_operator, get_operator_type

BuiltOperator = Operator[Params]


def build_operators(recipe: Recipe) -> tuple[BuiltOperator, ...]:
    """Return the recipe's operators, ready to run.

    Raises:
        RecipeError: An operator is unknown, or a parameter does not fit; one `FieldError` for each.
    """
    built: list[BuiltOperator] = []
    errors: list[FieldError] = []
    for place, step in enumerate(recipe.steps):
        try:
            built.append(build_operator(step.operator, _with_text_key(step, recipe.text_key)))
        except UnknownOperatorError as error:
            errors.append(FieldError(f"process.{place}.{step.operator}", error.detail))
        except InvalidParamsError as error:
            errors += [
                FieldError(_place(place, item.field), f"{step.operator}: {item.message}") for item in error.errors
            ]
    raise_problems(errors, "The recipe")
    return tuple(built)


def plan_recipe(recipe: Recipe, files: Sequence[InputFile] = ()) -> Plan:
    """Return how a recipe will run.

    Args:
        recipe: What to run.
        files: The input, of which a sample is read to see that the columns exist; none skips that.

    Raises:
        RecipeError: An operator is unknown, or a parameter does not fit.
        MissingColumnError: The sampled rows lack a column that an operator reads.
    """
    operators = build_operators(recipe)
    columns = _columns(operators, recipe)
    _check_columns(columns, operators, files, recipe.text_key)
    labels = distinct_names([operator.spec.name for operator in operators])
    plans = [_describe(place, operator, labels[place]) for place, operator in enumerate(operators)]
    libraries = (("polars", pl.__version__),)
    return Plan(tuple(_stages(plans, operators)), columns, libraries)


def _with_text_key(step: Step, text_key: str) -> dict[str, object]:
    """Return a step's parameters with the recipe's text column, if the operator takes one and none is named."""
    if "text_key" in step.params or "text_key" not in get_operator_type(step.operator).params_type.model_fields:
        return dict(step.params)
    return {"text_key": text_key, **step.params}


def _place(place: int, field: str) -> str:
    return f"process.{place}.{field}" if field else f"process.{place}"


def _columns(operators: Sequence[BuiltOperator], recipe: Recipe) -> tuple[str, ...]:
    named = (column for operator in operators for column in (*operator.columns_read, *operator.columns_written))
    # A recipe without operators still needs to know where the text is: documents are read into that column.
    return tuple(dict.fromkeys(named)) or (recipe.text_key,)


def _check_columns(
    columns: Iterable[str], operators: Sequence[BuiltOperator], files: Sequence[InputFile], text_key: str
) -> None:
    found = sample_columns(files, text_key)
    if found is None:
        return
    errors = []
    for column in columns:
        problem = found.problem(column)
        users = [place for place, operator in enumerate(operators) if column in operator.columns_read]
        if problem is not None:
            place = f"process.{users[0]}.text_key" if users else "text_keys"
            errors.append(FieldError(place, problem))
    if errors:
        raise MissingColumnError("; ".join(error.message for error in errors), errors=errors)


def _describe(place: int, operator: BuiltOperator, label: str) -> OperatorPlan:
    spec = operator.spec
    return OperatorPlan(
        place=place,
        name=spec.name,
        label=label,
        # A plain string: unpickling the enum would import Polars into the coordinator.
        kind=spec.kind.value,
        version=spec.version,
        params=json.dumps(operator.params.model_dump(mode="json"), sort_keys=True, ensure_ascii=False),
        reads=operator.columns_read,
        writes=operator.columns_written,
    )


def _stages(plans: Sequence[OperatorPlan], operators: Sequence[BuiltOperator]) -> Iterable[StagePlan]:
    start, index = 0, 0
    for place, operator in enumerate(operators):
        if operator.spec.kind is OperatorKind.DEDUPLICATOR:
            yield StagePlan(index, tuple(plans[start : place + 1]), barrier=True)
            start, index = place + 1, index + 1
    yield StagePlan(index, tuple(plans[start:]), barrier=False)
