"""The operators that a server's runs can use."""

from collections.abc import Iterator

from datamate.contracts.runtime.operators import Operator
from datamate.sdk.connection import Connection


class Operators:
    """Lists operators and tells what each one takes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self) -> Iterator[Operator]:
        """Yield every operator, by name."""
        return self._connection.iterate(self._connection.runtime.iterate_operators())

    def get(self, name: str) -> Operator:
        """Return one operator with its parameters.

        Raises:
            NotFoundError: There is no operator by this name.
        """
        return self._connection.call(self._connection.runtime.get_operator(name))
