"""A running DataMate, in both topologies, and users to sign in with."""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from datamate import Client
from datamate.core.errors import ConflictError
from e2e.topologies import Site, one_machine, separate_processes

PASSWORD = "twelve characters and more"


@pytest.fixture(scope="session", params=["up", pytest.param("split", marks=pytest.mark.integration)])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    if request.param == "up":
        with one_machine() as running:
            yield running
        return
    folder = Path(tempfile.mkdtemp(prefix="datamate-split-"))
    folder.chmod(0o755)  # PostgreSQL runs under an account of its own
    try:
        with separate_processes(folder) as running:
            yield running
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def admin(site: Site) -> Iterator[Client]:
    with Client.login(site.url, site.username, site.password) as client:
        yield client


@pytest.fixture
def sign_in(site: Site, admin: Client) -> Iterator[Callable[[str], Client]]:
    """Returns a client of a user of some role; there is one user of each."""
    opened: list[Client] = []

    def sign_in_as(role: str) -> Client:
        name = role.lower()
        with contextlib.suppress(ConflictError):  # an earlier test made it
            admin.users.create(name, PASSWORD, role=role)
        client = Client.login(site.url, name, PASSWORD)
        opened.append(client)
        return client

    yield sign_in_as
    for client in opened:
        client.close()


@pytest.fixture
def editor(sign_in: Callable[[str], Client]) -> Client:
    return sign_in("EDITOR")


@pytest.fixture
def viewer(sign_in: Callable[[str], Client]) -> Client:
    return sign_in("VIEWER")
