"""What can be wrong with a file or with a request for one."""

from datamate.core.errors import InvalidInputError, NotFoundError


class FileNotInVersionError(NotFoundError):
    """The version has no such file."""

    code = "file_not_found"


class MultipartError(InvalidInputError):
    """The body is not a multipart/form-data body of files."""

    code = "invalid_multipart"
