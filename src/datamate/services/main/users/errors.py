"""What can be wrong with an account."""

from datamate.core.errors import ConflictError, NotFoundError


class UserNotFoundError(NotFoundError):
    """There is no such user."""

    code = "user_not_found"


class UsernameTakenError(ConflictError):
    """Another user has this name already."""

    code = "username_taken"


class LastAdministratorError(ConflictError):
    """This is the last administrator who can sign in; make another one first."""

    code = "last_administrator"
