"""Finds operators by name, builds them from a recipe's parameters, and describes them to people."""

import difflib
import inspect
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module

from annotated_types import Ge, Le
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from datamate.core.errors import FieldError
from datamate.operators.base import Operator, OperatorKind, Params
from datamate.operators.errors import InvalidParamsError, UnknownOperatorError

# Operator `x_mapper` is class `XMapper` in module `mapper/x_mapper.py`. Modules are imported on first use: a recipe
# needs few of them, and some bring heavy libraries (selectolax, ftfy, regex).
_BUILT_IN = (
    "alphanumeric_filter",
    "average_line_length_filter",
    "character_repetition_filter",
    "clean_email_mapper",
    "clean_html_mapper",
    "clean_ip_mapper",
    "clean_links_mapper",
    "document_deduplicator",
    "fix_unicode_mapper",
    "maximum_line_length_filter",
    "punctuation_normalization_mapper",
    "special_characters_filter",
    "text_length_filter",
    "whitespace_normalization_mapper",
    "word_repetition_filter",
)

# Parameters that Data-Juicer accepts for every operator and that say how it runs, or where data of a kind lies that
# these operators do not read. They never change which rows come out, so one recipe file runs on both.
WITHOUT_EFFECT = frozenset(
    {
        "accelerator", "adaptive_batching", "audio_key", "auto_op_parallelism", "batch_mode", "batch_size",
        "cpu_required", "gpu_required", "history_key", "image_bytes_key", "image_key", "index_key", "input_columns",
        "instruction_key", "mem_required", "memory", "num_cpus", "num_gpus", "num_proc", "output_columns",
        "prompt_key", "query_key", "ray_execution_mode", "response_key", "runtime_env", "skip_op_error",
        "stats_export_path", "system_key", "turbo", "video_key", "work_dir",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ParameterDescription:
    """One parameter of an operator, for people.

    Attributes:
        name: The name in a recipe.
        type: The Python type, such as `int` or `Literal['NFC', 'NFD']`.
        default: What holds when the recipe says nothing; None when the recipe must say it.
        minimum: The lowest value allowed, if there is one.
        maximum: The highest value allowed, if there is one.
        description: What the parameter does.
    """

    name: str
    type: str
    default: str | float | bool | None
    minimum: float | None
    maximum: float | None
    description: str


@dataclass(frozen=True, slots=True)
class OperatorDescription:
    """One operator, for people."""

    name: str
    version: int
    kind: OperatorKind
    summary: str
    documentation: str
    parameters: tuple[ParameterDescription, ...]


def operator_names() -> tuple[str, ...]:
    """Return the names of all operators, sorted; imports none of them."""
    return _BUILT_IN


def operator_types() -> tuple[type[Operator[Params]], ...]:
    """Return the classes of all operators, sorted by name."""
    return tuple(get_operator_type(name) for name in _BUILT_IN)


def get_operator_type(name: str) -> type[Operator[Params]]:
    """Return the class of an operator.

    Raises:
        UnknownOperatorError: No operator has this name; the message says which names come near.
    """
    if name not in _BUILT_IN:
        near = difflib.get_close_matches(name, _BUILT_IN, n=3)
        advice = f"did you mean {' or '.join(near)}?" if near else "`datamate operators list` shows all."
        raise UnknownOperatorError(f"There is no operator '{name}'; {advice}")
    kind = name.rpartition("_")[2]
    class_name = "".join(word.capitalize() for word in name.split("_"))
    module = import_module(f"datamate.operators.{kind}.{name}")
    operator_type: type[Operator[Params]] = getattr(module, class_name)
    return operator_type


def build_operator(name: str, raw_params: Mapping[str, object] | None = None) -> Operator[Params]:
    """Return an operator ready to run.

    Args:
        name: The operator's name.
        raw_params: Parameters as a recipe gives them, those of `WITHOUT_EFFECT` among them; None for the defaults.

    Raises:
        UnknownOperatorError: No operator has this name.
        InvalidParamsError: A parameter is unknown, missing, of the wrong type or out of range; one `FieldError` each,
            whose field is the parameter's name.
    """
    operator_type = get_operator_type(name)
    given = {key: value for key, value in (raw_params or {}).items() if key not in WITHOUT_EFFECT}
    try:
        params = operator_type.params_type.model_validate(given)
    except ValidationError as error:
        errors = _field_errors(error, operator_type.params_type)
        problems = (f"{item.field}: {item.message}" if item.field else item.message for item in errors)
        raise InvalidParamsError(f"{name}: {'; '.join(problems)}", errors=errors) from error
    return operator_type(params)


def describe(name: str) -> OperatorDescription:
    """Return what people need to know to use an operator.

    Raises:
        UnknownOperatorError: No operator has this name.
    """
    operator_type = get_operator_type(name)
    spec = operator_type.spec
    fields = operator_type.params_type.model_fields
    parameters = tuple(_describe_parameter(parameter, field) for parameter, field in fields.items())
    documentation = inspect.getdoc(operator_type) or ""
    return OperatorDescription(spec.name, spec.version, spec.kind, spec.summary, documentation, parameters)


def _describe_parameter(name: str, field: FieldInfo) -> ParameterDescription:
    minimum, maximum = _bounds(field)
    annotation = field.annotation
    shown = annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")
    default = None if field.is_required() else field.default
    return ParameterDescription(name, shown, default, minimum, maximum, field.description or "")


def _bounds(field: FieldInfo) -> tuple[float | None, float | None]:
    lowest = [item.ge for item in field.metadata if isinstance(item, Ge)]
    highest = [item.le for item in field.metadata if isinstance(item, Le)]
    return _first_number(lowest), _first_number(highest)


def _first_number(bounds: Iterable[object]) -> float | None:
    return next((bound for bound in bounds if isinstance(bound, int | float)), None)


def _field_errors(error: ValidationError, params_type: type[Params]) -> list[FieldError]:
    return [
        FieldError(
            ".".join(map(str, item["loc"])),
            _explain(item["type"], item["msg"], item["input"], item["loc"], params_type),
        )
        for item in error.errors(include_url=False)
    ]


def _explain(kind: str, message: str, given: object, location: tuple[int | str, ...], params_type: type[Params]) -> str:
    """Return what is wrong with one parameter, with the value given and the values allowed."""
    names = list(params_type.model_fields)
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(location[-1]), names, n=1)
        advice = f"did you mean {near[0]}?" if near else f"the parameters are: {', '.join(names)}"
        return f"there is no such parameter; {advice}"
    message = message.removeprefix("Value error, ")
    if not location:
        return message
    field = params_type.model_fields.get(str(location[0]))
    minimum, maximum = _bounds(field) if field is not None else (None, None)
    allowed = f" (allowed: {minimum} to {maximum})" if minimum is not None and maximum is not None else ""
    return f"{reprlib.repr(given)} is not valid{allowed}: {message[0].lower()}{message[1:]}"
