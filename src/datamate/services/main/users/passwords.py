"""The text of a password that is hashed."""

import unicodedata

from pydantic import SecretStr


def password_text(password: SecretStr) -> str:
    """Return a password in one Unicode form, so that the keyboard it is typed on does not matter.

    Source: NIST SP 800-63B-4, section 3.1.1.2 (normalisation before hashing).
    """
    return unicodedata.normalize("NFC", password.get_secret_value())
