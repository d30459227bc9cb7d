"""What can go wrong when somebody signs in."""

from datamate.core.errors import UnauthenticatedError


class WrongCredentialsError(UnauthenticatedError):
    """The user name or the password is wrong."""

    code = "wrong_credentials"
