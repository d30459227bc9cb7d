"""Trades a user name and a password for a token."""

from datetime import timedelta

from pydantic import SecretStr

from datamate.core.clock import utc_now
from datamate.sdk.connection import Connection
from datamate.sdk.credentials import Credentials, normalise_url


def sign_in(url: str, username: str, password: str, *, timeout_seconds: float = 30.0) -> Credentials:
    """Return the credentials for a server.

    Args:
        url: Address of the gateway, such as http://127.0.0.1:8080.
        username: Who signs in.
        password: The password.
        timeout_seconds: Longest time for the call.

    Raises:
        UnauthenticatedError: User name or password are wrong, or the account is disabled.
        UnavailableError: Nothing answers at that address.
    """
    address = normalise_url(url)
    connection = Connection(address, None, timeout_seconds=timeout_seconds)
    try:
        now = utc_now()
        token = connection.call_without_sign_in(connection.main.login(username, SecretStr(password)))
    finally:
        connection.close()
    return Credentials(
        url=address,
        username=username,
        access_token=SecretStr(token.access_token),
        expires_at=now + timedelta(seconds=token.expires_in),
    )
