"""The users of a server."""

from collections.abc import Iterator

from datamate.contracts.main.users import CreateUserRequest, Role, UpdateUserRequest, User
from datamate.core.errors import NotFoundError
from datamate.sdk.connection import Connection
from datamate.sdk.requests import make_request


class Users:
    """Lists and changes accounts; most of it is for administrators."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def me(self) -> User:
        """Return the account that this client is signed in with."""
        return self._connection.call(self._connection.main.get_me())

    def list(self) -> Iterator[User]:
        """Yield every account."""
        return self._connection.iterate(self._connection.main.iterate_users())

    def get(self, name_or_id: str | int) -> User:
        """Return the account with this id, or else with this name.

        Raises:
            NotFoundError: There is none.
        """
        if str(name_or_id).isdecimal():
            return self._connection.call(self._connection.main.get_user(int(name_or_id)))
        for user in self.list():
            if user.username == name_or_id:
                return user
        raise NotFoundError(f"There is no user '{name_or_id}'.")

    def create(self, username: str, password: str, *, role: str = "VIEWER", email: str | None = None) -> User:
        """Make an account.

        Args:
            username: 1 to 50 letters, digits, dots, dashes and underscores.
            password: 12 characters or more.
            role: ADMIN, EDITOR or VIEWER.
            email: Address, if the account has one.

        Raises:
            InvalidInputError: A value does not fit; `errors` names the field.
            ConflictError: The name is taken.
        """
        values = {"username": username, "password": password, "role": role.upper(), "email": email}
        request = make_request(CreateUserRequest, values)
        return self._connection.call(self._connection.main.create_user(request))

    def update(
        self,
        user_id: int,
        *,
        role: str | None = None,
        email: str | None = None,
        enabled: bool | None = None,
        password: str | None = None,
    ) -> User:
        """Change an account; what is None stays as it is."""
        changes = {"role": role, "email": email, "enabled": enabled, "password": password}
        request = make_request(UpdateUserRequest, {name: value for name, value in changes.items() if value is not None})
        return self._connection.call(self._connection.main.update_user(user_id, request))

    def roles(self) -> tuple[Role, ...]:
        """Return every role with its permissions."""
        return tuple(self._connection.call(self._connection.main.list_roles()).items)
