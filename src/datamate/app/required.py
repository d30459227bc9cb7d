"""Settings that have no default and that a process cannot do without."""

from pydantic import SecretStr

from datamate.config.root import Settings
from datamate.core.errors import ConfigurationError, FieldError

_NEW_SECRET = "set it to 32 random characters or more (`openssl rand -hex 32`), the same for every process"  # noqa: S105 - advice
_DATABASE = "set it to postgresql://user:password@host:5432/name; `datamate up` brings a PostgreSQL of its own"


def database_url(settings: Settings) -> str:
    """Return the address of PostgreSQL.

    Raises:
        ConfigurationError: There is none.
    """
    return _required(settings.database.url, "DATAMATE_DATABASE__URL", _DATABASE).get_secret_value()


def access_secret(settings: Settings) -> SecretStr:
    """Return the key of the tokens that clients carry.

    Raises:
        ConfigurationError: There is none.
    """
    return _required(settings.jwt.secret, "DATAMATE_JWT__SECRET", _NEW_SECRET)


def internal_secret(settings: Settings) -> SecretStr:
    """Return the key of the tokens between the parts of DataMate.

    Raises:
        ConfigurationError: There is none.
    """
    return _required(settings.internal.secret, "DATAMATE_INTERNAL__SECRET", _NEW_SECRET)


def _required(value: SecretStr | None, variable: str, advice: str) -> SecretStr:
    if value is None:
        raise ConfigurationError(f"{variable} is missing: {advice}.", errors=[FieldError(variable, advice)])
    return value
