"""Which server a command talks to: `--url`, or the one signed in to last."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from datamate.sdk.client import Client

DEFAULT_URL = "http://127.0.0.1:8080"
"""Where `datamate up` listens unless it is told otherwise."""

url_option = click.option(
    "--url", metavar="URL", help="Address of the server. Left out: the one that you signed in to last."
)


limit_option = click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, metavar="N", help="List no more than this."
)


@contextmanager
def open_client(url: str | None) -> Iterator["Client"]:
    """Give a client with the saved sign-in to a server.

    Raises:
        UnauthenticatedError: There is no sign-in; the message says how to make one.
    """
    # The client brings aiohttp, half a second on a cold disk, which `--help` need not spend.
    from datamate.sdk.client import Client

    with Client(url) as client:
        yield client
