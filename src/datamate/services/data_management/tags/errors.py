"""What can be wrong with a tag."""

from datamate.core.errors import ConflictError, NotFoundError


class TagNotFoundError(NotFoundError):
    """There is no such tag."""

    code = "tag_not_found"


class TagInUseError(ConflictError):
    """Datasets carry this tag; take it off them first."""

    code = "tag_in_use"
