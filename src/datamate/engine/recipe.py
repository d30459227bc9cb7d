"""Reads a recipe from YAML strictly; every error names its place, the value and the way out.

A recipe is a superset of a Data-Juicer YAML, so that one file runs on both.
"""

import difflib
from collections.abc import Mapping
from pathlib import Path

import yaml

from datamate.core.errors import FieldError
from datamate.engine.errors import RecipeError
from datamate.engine.recipe_model import DEFAULT_TEXT_KEYS, MAX_PROCESSES, OnError, Recipe, Step, raise_problems

__all__ = ["OnError", "Recipe", "Step", "load_recipe", "parse_recipe"]

_KEYS = (
    "project_name",
    "dataset_path",
    "export_path",
    "text_keys",
    "np",
    "process",
    "on_error",
    "max_errors",
)

_MAX_DEPTH = 20

# Settings of Data-Juicer that change how it works but never which rows come out; accepted so that one file runs on
# both, and listed by the plan as without effect.
_WITHOUT_EFFECT = frozenset(
    {
        "adaptive_batch_size", "auto", "auto_num", "cache_compress", "checkpoint", "debug", "ds_cache_dir",
        "event_log_dir", "event_logging", "executor_type", "export_in_parallel", "export_original_dataset",
        "export_stats", "export_type", "fusion_strategy", "intermediate_storage", "job_id", "max_partition_size_mb",
        "op_fusion", "open_insight_mining", "open_monitor", "open_tracer", "partition", "partition_dir",
        "percentiles", "preserve_intermediate_data", "ray_address", "resource_optimization", "save_stats_in_one_file",
        "skip_op_error", "temp_dir", "trace_keys", "trace_num", "turbo", "use_cache", "use_checkpoint", "work_dir",
    }
)  # fmt: skip


def load_recipe(path: str | Path) -> Recipe:
    """Read a recipe from a file.

    Raises:
        RecipeError: The file cannot be read, or what it holds is no valid recipe.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise RecipeError(f"The recipe {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"The recipe {path} is not UTF-8 text (byte {error.start}); save it as UTF-8.") from error
    return parse_recipe(text, name=str(path))


def parse_recipe(text: str, *, name: str = "recipe") -> Recipe:
    """Read a recipe from YAML.

    Operators are looked up and their parameters checked later, by the planner.

    Args:
        text: The YAML.
        name: What to call it in errors.

    Raises:
        RecipeError: It is no YAML, or no valid recipe; one `FieldError` for each thing wrong.
    """
    try:
        _refuse_bombs(text, name)
        document = yaml.load(text, Loader=_UniqueKeyLoader)  # noqa: S506 - derives from the safe loader
    except yaml.YAMLError as error:
        raise RecipeError(_explain_yaml(error, name)) from error
    if not isinstance(document, dict):
        raise RecipeError(f"{name} holds no recipe: its top level must be `key: value` lines, among them `process:`.")
    problems = _Problems()
    recipe = _read(document, problems)
    problems.raise_if_any(name)
    return recipe


def _read(document: Mapping[object, object], problems: "_Problems") -> Recipe:
    for key in document:
        if key not in _KEYS and key not in _WITHOUT_EFFECT:
            near = difflib.get_close_matches(str(key), _KEYS, n=1)
            advice = f"did you mean {near[0]}?" if near else f"the keys are: {', '.join(_KEYS)}"
            problems.add(str(key), f"there is no such key; {advice}")
    if "process" not in document:
        problems.add("process", "is missing; list the operators, or write [] to only copy rows")
    return Recipe(
        steps=_read_steps(document.get("process"), problems),
        project_name=problems.text(document.get("project_name"), "project_name") or "run",
        dataset_path=problems.text(document.get("dataset_path"), "dataset_path"),
        export_path=problems.text(document.get("export_path"), "export_path"),
        text_keys=_read_text_keys(document.get("text_keys"), problems),
        np=problems.integer(document.get("np"), "np", minimum=1, maximum=MAX_PROCESSES),
        on_error=_read_on_error(document.get("on_error", OnError.QUARANTINE), problems),
        max_errors=problems.integer(document.get("max_errors"), "max_errors", minimum=0),
        without_effect=tuple(sorted(str(key) for key in document if key in _WITHOUT_EFFECT)),
    )


def _read_steps(raw: object, problems: "_Problems") -> tuple[Step, ...]:
    if raw is None:
        return ()
    if not isinstance(raw, list):
        problems.add("process", f"{raw!r} is not a list; write each operator as `- name:` below it")
        return ()
    steps = (_read_step(item, f"process.{place}", problems) for place, item in enumerate(raw))
    return tuple(step for step in steps if step is not None)


def _read_step(item: object, place: str, problems: "_Problems") -> Step | None:
    if isinstance(item, str):
        return Step(item, {})
    if not isinstance(item, dict) or len(item) != 1:
        extra = "; indent parameters deeper than the operator's name" if isinstance(item, dict) else ""
        problems.add(place, f"{item!r} is not one operator; write `- name: {{parameter: value}}`{extra}")
        return None
    name, params = next(iter(item.items()))
    if not isinstance(name, str):
        problems.add(place, f"{name!r} is not an operator's name")
        return None
    if params is None:
        return Step(name, {})
    if not isinstance(params, dict):
        problems.add(f"{place}.{name}", f"{params!r} are no parameters; write `parameter: value` lines below it")
        return None
    return Step(name, {str(key): value for key, value in params.items()})


def _read_text_keys(raw: object, problems: "_Problems") -> tuple[str, ...]:
    if raw is None:
        return DEFAULT_TEXT_KEYS
    keys = raw if isinstance(raw, list) else [raw]
    if not keys or not all(isinstance(key, str) and key for key in keys):
        problems.add("text_keys", f"{raw!r} is neither a column name nor a list of column names")
        return DEFAULT_TEXT_KEYS
    return tuple(keys)


def _read_on_error(raw: object, problems: "_Problems") -> OnError:
    try:
        return OnError(raw)  # type: ignore[arg-type]  # a wrong type is a wrong value
    except ValueError:
        problems.add("on_error", f"{raw!r} is not known; choose {', '.join(OnError)}")
        return OnError.QUARANTINE


class _Problems:
    """Collects everything that is wrong, so that one run of the command shows it all."""

    def __init__(self) -> None:
        self._errors: list[FieldError] = []

    def add(self, field: str, message: str) -> None:
        self._errors.append(FieldError(field, message))

    def text(self, value: object, field: str) -> str | None:
        if value is None or (isinstance(value, str) and value):
            return value
        self.add(field, f"{value!r} is not text")
        return None

    def integer(self, value: object, field: str, *, minimum: int, maximum: int | None = None) -> int | None:
        if value is None:
            return None
        whole = isinstance(value, int) and not isinstance(value, bool)
        if whole and value >= minimum and (maximum is None or value <= maximum):  # type: ignore[operator]
            return value  # type: ignore[return-value]
        allowed = f"{minimum} or more" if maximum is None else f"{minimum} to {maximum}"
        self.add(field, f"{value!r} is not allowed; write a whole number, {allowed}")
        return None

    def raise_if_any(self, name: str) -> None:
        raise_problems(self._errors, name)


class _UniqueKeyLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # C when it is built in
    """The safe loader, except that a key written twice is an error and not a silent loss."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen = set()
        for key_node, _ in node.value:
            if isinstance(key_node, yaml.ScalarNode) and key_node.tag != "tag:yaml.org,2002:merge":
                if key_node.value in seen:
                    problem = f"the key {key_node.value} is written twice"
                    raise yaml.constructor.ConstructorError(problem=problem, problem_mark=key_node.start_mark)
                seen.add(key_node.value)
        mapping: dict[object, object] = super().construct_mapping(node, deep)
        return mapping


def _refuse_bombs(text: str, name: str) -> None:
    """Refuse the few lines of YAML that stand for gigabytes (aliases of aliases), and depths that no recipe has."""
    depth = 0
    for event in yaml.parse(text, Loader=_UniqueKeyLoader):
        if isinstance(event, yaml.AliasEvent):
            raise RecipeError(f"{_line(event, name)}: aliases (*{event.anchor}) are not read; write the value out.")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise RecipeError(f"{_line(event, name)}: this is nested too deeply for a recipe.")


def _line(event: yaml.Event, name: str) -> str:
    return name if event.start_mark is None else f"{name}, line {event.start_mark.line + 1}"


def _explain_yaml(error: yaml.YAMLError, name: str) -> str:
    mark = getattr(error, "problem_mark", None)
    place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
    problem = getattr(error, "problem", None) or str(error)
    return f"{name} is not valid YAML{place}: {problem}."
