"""What can go wrong with runs."""

from datamate.core.errors import ConflictError, NotFoundError


class RunNotFoundError(NotFoundError):
    """There is no such run."""

    code = "run_not_found"


class RunNotFinishedError(ConflictError):
    """This run has not finished, so its account is not complete."""

    code = "run_not_finished"


class EmptyDatasetError(ConflictError):
    """The dataset has no version yet: upload files first."""

    code = "dataset_empty"
