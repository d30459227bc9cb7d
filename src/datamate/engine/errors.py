"""The errors of the engine."""

from datamate.core.errors import ConflictError, DatamateError, InvalidInputError


class RecipeError(InvalidInputError):
    """The recipe is not valid."""

    code = "invalid_recipe"


class UnreadableInputError(InvalidInputError):
    """An input file cannot be read."""

    code = "unreadable_input"


class MissingColumnError(InvalidInputError):
    """The data lacks a column that an operator reads."""

    code = "missing_column"


class BadRowError(InvalidInputError):
    """A row cannot be read; the run quarantines it and goes on."""

    code = "bad_row"


class OutputNotWritableError(InvalidInputError):
    """The output cannot be written there."""

    code = "output_not_writable"


class OutputExistsError(ConflictError):
    """There is already something where the output would go."""

    code = "output_exists"


class RunConflictError(ConflictError):
    """Another run, or what an earlier one left behind, is in the way."""

    code = "run_conflict"


class FenceLostError(ConflictError):
    """This run was taken over by another process, so it may not write any more."""

    code = "fence_lost"


class TooManyBadRowsError(DatamateError):
    """More rows were quarantined than the recipe allows."""

    code = "too_many_bad_rows"


class WorkerCrashedError(DatamateError):
    """A worker process died again and again over the same partition."""

    code = "worker_crashed"


class WorkerFailedError(DatamateError):
    """A worker process met an error that is a fault of DataMate or of an operator."""

    code = "worker_failed"


class RunCancelledError(DatamateError):
    """The run was cancelled; what it committed is kept for a resume."""

    code = "run_cancelled"
