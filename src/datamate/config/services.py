"""Where each service listens, and where the others find it when it runs as a process of its own."""

from pydantic import Field

from datamate.config.section import Section


class ServiceSettings(Section):
    """`DATAMATE_<SERVICE>__*`."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(ge=0, le=65_535, description="Port to listen on; 0 takes any free one.")
    url: str | None = Field(
        None, description="Where others reach it. Empty: http://<host>:<port>, and workers run it in their own process."
    )

    @property
    def base_url(self) -> str:
        """Return where the other services reach this one."""
        return (self.url or f"http://{self.host}:{self.port}").rstrip("/")


class GatewaySettings(ServiceSettings):
    """`DATAMATE_GATEWAY__*`."""

    port: int = Field(8080, ge=0, le=65_535, description="Port to listen on; 0 takes any free one.")


class MainSettings(ServiceSettings):
    """`DATAMATE_MAIN__*`."""

    port: int = Field(8090, ge=0, le=65_535, description="Port to listen on; 0 takes any free one.")


class RuntimeSettings(ServiceSettings):
    """`DATAMATE_RUNTIME__*`."""

    port: int = Field(8081, ge=0, le=65_535, description="Port to listen on; 0 takes any free one.")


class DataManagementSettings(ServiceSettings):
    """`DATAMATE_DATA_MANAGEMENT__*`."""

    port: int = Field(8092, ge=0, le=65_535, description="Port to listen on; 0 takes any free one.")
