"""The client: one object with everything a server offers, in ordinary synchronous Python."""

import weakref
from types import TracebackType
from typing import Self

from datamate.core.errors import UnauthenticatedError
from datamate.sdk.connection import Connection
from datamate.sdk.credentials import CredentialsFile, normalise_url
from datamate.sdk.datasets import Datasets
from datamate.sdk.operators import Operators
from datamate.sdk.runs import Runs
from datamate.sdk.sign_in import sign_in
from datamate.sdk.tasks import Tasks
from datamate.sdk.users import Users


class Client:
    """A connection to a DataMate server.

    Several threads may use one client. Close it when you are done, or use it as a context manager:

        with Client.login("http://127.0.0.1:8080", "admin", password) as client:
            dataset = client.datasets.create("notes")
            client.datasets.upload(dataset, "notes/")

    Attributes:
        url: Address of the server.
        datasets: Datasets, their files and versions.
        operators: What the operators do and take.
        runs: Runs of recipes over datasets.
        tasks: Work of the server that outlives a request.
        users: Accounts, and your own.
    """

    def __init__(self, url: str | None = None, token: str | None = None, *, timeout_seconds: float = 30.0) -> None:
        """Connect to a server; the first call opens the connection.

        Args:
            url: Address of the server; None takes the one that `datamate login` signed in to last.
            token: Access token; None takes the one that `datamate login` saved for this server.
            timeout_seconds: Longest time for one call, and for the start of a transfer.

        Raises:
            UnauthenticatedError: No token was given and none is saved.
        """
        if url is None or token is None:
            saved = CredentialsFile().find(url)
            if saved is None:
                place = f"`datamate login --url {url}`" if url else "`datamate login`"
                raise UnauthenticatedError(f"You are not signed in. Run {place}, or use `Client.login(…)` in Python.")
            url, token = saved.url, token or saved.access_token.get_secret_value()
        self.url = normalise_url(url)
        connection = Connection(self.url, token, timeout_seconds=timeout_seconds)
        # Runs at `close`, or when the client is forgotten, or at the end of the interpreter.
        self._close = weakref.finalize(self, connection.close)
        self.datasets = Datasets(connection)
        self.operators = Operators(connection)
        self.runs = Runs(connection)
        self.tasks = Tasks(connection)
        self.users = Users(connection)

    @classmethod
    def login(cls, url: str, username: str, password: str, *, timeout_seconds: float = 30.0) -> Self:
        """Return a client signed in with a user name and a password; nothing is saved.

        Raises:
            UnauthenticatedError: User name or password are wrong, or the account is disabled.
        """
        credentials = sign_in(url, username, password, timeout_seconds=timeout_seconds)
        return cls(credentials.url, credentials.access_token.get_secret_value(), timeout_seconds=timeout_seconds)

    def close(self) -> None:
        """Close the connection; calling it again does nothing."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
