"""What can be wrong with a role."""

from datamate.core.errors import InvalidInputError


class UnknownRoleError(InvalidInputError):
    """There is no such role."""

    code = "unknown_role"
