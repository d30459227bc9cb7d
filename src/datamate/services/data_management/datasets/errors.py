"""What can be wrong with a dataset."""

from datamate.core.errors import ConflictError, NotFoundError, PermissionDeniedError


class DatasetNotFoundError(NotFoundError):
    """There is no such dataset."""

    code = "dataset_not_found"


class DatasetNameTakenError(ConflictError):
    """Another dataset has this name already."""

    code = "dataset_name_taken"


class NotOwnerError(PermissionDeniedError):
    """Only the owner of a dataset or an administrator may do this."""

    code = "not_owner"
