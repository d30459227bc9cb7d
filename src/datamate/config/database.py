"""Where PostgreSQL is and how many connections one process may hold."""

from pydantic import Field, SecretStr

from datamate.config.section import Section


class DatabaseSettings(Section):
    """`DATAMATE_DATABASE__*`."""

    url: SecretStr | None = Field(None, description="postgresql://user:password@host:5432/name. Empty: embedded.")
    pool_max_connections: int = Field(20, ge=1, le=500, description="Most connections one process opens.")
    pool_kept_connections: int = Field(5, ge=0, le=500, description="Connections kept open while idle.")
    pool_wait_seconds: float = Field(30.0, gt=0, le=300, description="Longest wait for a free connection.")
