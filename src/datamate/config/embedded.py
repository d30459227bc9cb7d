"""The engines that `datamate up` starts itself."""

from pydantic import Field

from datamate.config.section import Section


class EmbeddedSettings(Section):
    """`DATAMATE_EMBEDDED__*`."""

    postgres_port: int | None = Field(
        None,
        ge=1,
        le=65_535,
        description="Port of 127.0.0.1 for the embedded PostgreSQL. Empty: a private socket only.",
    )
    log_max_bytes: int = Field(
        16 << 20, ge=4096, description="Size at which a log file in DATAMATE_HOME/logs is put aside; two are kept."
    )
