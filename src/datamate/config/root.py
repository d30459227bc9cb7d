"""The whole configuration of one process, read once at its start."""

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from datamate.config.database import DatabaseSettings
from datamate.config.embedded import EmbeddedSettings
from datamate.config.identity import BootstrapSettings, InternalSettings, JwtSettings
from datamate.config.log import LogSettings
from datamate.config.redis import RedisSettings
from datamate.config.services import DataManagementSettings, GatewaySettings, MainSettings, RuntimeSettings
from datamate.config.storage import StorageSettings
from datamate.config.worker import WorkerSettings
from datamate.core.errors import ConfigurationError, FieldError

PREFIX = "DATAMATE_"


class Settings(BaseSettings):
    """Every setting of a DataMate process."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, validate_default=True
    )

    home: Path = Field(
        default_factory=lambda: Path("/var/lib/datamate" if os.geteuid() == 0 else "~/.datamate"),
        description="Folder of embedded engines, objects and generated secrets.",
    )
    bootstrap: BootstrapSettings = BootstrapSettings()
    data_management: DataManagementSettings = DataManagementSettings()
    database: DatabaseSettings = DatabaseSettings()
    embedded: EmbeddedSettings = EmbeddedSettings()
    gateway: GatewaySettings = GatewaySettings()
    internal: InternalSettings = InternalSettings()
    jwt: JwtSettings = JwtSettings()
    log: LogSettings = LogSettings()
    main: MainSettings = MainSettings()
    redis: RedisSettings = RedisSettings()
    runtime: RuntimeSettings = RuntimeSettings()
    storage: StorageSettings = StorageSettings()
    worker: WorkerSettings = WorkerSettings()

    @property
    def home_folder(self) -> Path:
        """Return DATAMATE_HOME as an absolute path."""
        return self.home.expanduser().absolute()


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of this process.

    Args:
        environ: The environment to check for unknown names; the values are always those of the process.

    Raises:
        ConfigurationError: A variable is unknown or its value does not fit; `errors` names each one.
    """
    unknown = sorted(unknown_variables(os.environ if environ is None else environ))
    if unknown:
        known = sorted(known_variables())
        errors = [FieldError(name, _suggestion(name, known)) for name in unknown]
        listing = "; ".join(f"{error.field}: {error.message}" for error in errors)
        raise ConfigurationError(f"Unknown environment variables. {listing}", errors=errors)
    try:
        return Settings()
    except ValidationError as error:
        raise _configuration_error(error) from None


def known_variables() -> Iterator[str]:
    """Yield the name of every environment variable that DataMate reads."""
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            yield from (f"{PREFIX}{name}__{inner}".upper() for inner in section.model_fields)
        else:
            yield f"{PREFIX}{name}".upper()


def unknown_variables(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the DATAMATE_* variables of `environ` that nothing reads."""
    known = set(known_variables())
    yield from (name for name in environ if name.upper().startswith(PREFIX) and name.upper() not in known)


def _suggestion(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name.upper(), known, n=1)
    return f"did you mean {near[0]}?" if near else "remove it; `datamate doctor` lists the known ones"


def _configuration_error(error: ValidationError) -> ConfigurationError:
    """Name each variable at fault; never repeat a value, which may be a secret."""
    errors = [
        FieldError(PREFIX + "__".join(str(part) for part in item["loc"]).upper(), item["msg"])
        for item in error.errors(include_input=False, include_url=False)
    ]
    listing = "; ".join(f"{item.field}: {item.message}" for item in errors)
    return ConfigurationError(f"The configuration is wrong. {listing}", errors=errors)
