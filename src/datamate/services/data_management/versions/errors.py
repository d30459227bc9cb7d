"""What can be wrong with a version or with the changes that would make one."""

from datamate.core.errors import ConflictError, InvalidInputError, NotFoundError


class VersionNotFoundError(NotFoundError):
    """The dataset has no such version."""

    code = "version_not_found"


class PathNotFoundError(NotFoundError):
    """The dataset has no file at this path."""

    code = "path_not_found"


class InvalidPathError(InvalidInputError):
    """This cannot be the path of a file."""

    code = "invalid_path"


class PathConflictError(ConflictError):
    """A path changed since the version that these changes are based on."""

    code = "path_changed"


class PathClashError(ConflictError):
    """A path cannot be a file and a folder at once."""

    code = "path_clash"


class NothingToCommitError(InvalidInputError):
    """There is nothing to make the first version of."""

    code = "nothing_to_commit"


class StagedFileError(InvalidInputError):
    """A staged object is not what the request says it is."""

    code = "staged_file_mismatch"
