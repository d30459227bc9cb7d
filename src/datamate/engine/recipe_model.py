"""What a recipe says: what to read, which operators to run, and where the result goes. Cheap to import."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from datamate.core.errors import FieldError
from datamate.engine.errors import RecipeError

DEFAULT_TEXT_KEYS = ("text",)
MAX_PROCESSES = 512


class OnError(StrEnum):
    """What happens to a row that cannot be processed.

    `quarantine` keeps it as it was, with its reason, beside the output; `skip` keeps the reason only; `fail` ends the
    run at the first such row.
    """

    QUARANTINE = "quarantine"
    SKIP = "skip"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Step:
    """One operator of a recipe, as written.

    Attributes:
        operator: Its name.
        params: Its parameters, not yet checked against the operator.
    """

    operator: str
    params: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to read, what to do with it, and where the result goes.

    Attributes:
        steps: The operators in order.
        project_name: A name for people.
        dataset_path: A file or a folder; None if whoever runs the recipe says it.
        export_path: The output file, `.jsonl` or `.parquet`; None if whoever runs the recipe says it.
        text_keys: Columns that hold text; operators work on the first unless they name another.
        np: Worker processes; None for one per core.
        on_error: What happens to a row that cannot be processed.
        max_errors: The run fails when more rows than this are quarantined; None for no limit.
        without_effect: Keys of the file that are accepted and change nothing here.
    """

    steps: tuple[Step, ...]
    project_name: str = "run"
    dataset_path: str | None = None
    export_path: str | None = None
    text_keys: tuple[str, ...] = DEFAULT_TEXT_KEYS
    np: int | None = None
    on_error: OnError = OnError.QUARANTINE
    max_errors: int | None = None
    without_effect: tuple[str, ...] = ()

    @property
    def text_key(self) -> str:
        """The column that operators work on unless they name another."""
        return self.text_keys[0]

    def with_overrides(
        self, *, dataset_path: str | None = None, export_path: str | None = None, np: int | None = None
    ) -> "Recipe":
        """Return the recipe with those values that are given in place of its own.

        Raises:
            RecipeError: `np` is out of range.
        """
        if np is not None and not 1 <= np <= MAX_PROCESSES:
            problem = FieldError("np", f"{np} is not allowed; write a whole number, 1 to {MAX_PROCESSES}")
            raise_problems([problem], "The recipe")
        return replace(
            self,
            dataset_path=self.dataset_path if dataset_path is None else dataset_path,
            export_path=self.export_path if export_path is None else export_path,
            np=self.np if np is None else np,
        )


def raise_problems(errors: Sequence[FieldError], name: str) -> None:
    """Raise one error that tells all of these, or return if there are none.

    Raises:
        RecipeError: There are some.
    """
    if errors:
        listed = "\n".join(f"  {error.field}: {error.message}" for error in errors)
        raise RecipeError(f"{name} is not valid:\n{listed}", errors=errors)
