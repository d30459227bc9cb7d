"""What can be wrong with an upload."""

from datamate.core.errors import ConflictError, NotFoundError


class UploadNotFoundError(NotFoundError):
    """There is no such upload."""

    code = "upload_not_found"


class UploadClosedError(ConflictError):
    """The upload takes nothing any more; open a new one."""

    code = "upload_closed"
