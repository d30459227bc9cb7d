"""Where Redis is and how long a request may wait for it."""

from pydantic import Field, SecretStr

from datamate.config.section import Section


class RedisSettings(Section):
    """`DATAMATE_REDIS__*`."""

    url: SecretStr | None = Field(None, description="redis://:password@host:6379/0. Empty: embedded.")
    request_timeout_seconds: float = Field(
        0.1, gt=0, le=5, description="Longest wait for Redis while a client waits for us."
    )
    stream_timeout_seconds: float = Field(5.0, gt=0, le=60, description="Longest wait for Redis in the background.")
