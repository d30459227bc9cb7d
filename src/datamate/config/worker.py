"""How task workers behave."""

from pydantic import Field

from datamate.config.section import Section


class WorkerSettings(Section):
    """`DATAMATE_WORKER__*`."""

    processes: int = Field(1, ge=0, le=256, description="Worker processes that `datamate up` starts.")
    concurrency: int = Field(2, ge=1, le=64, description="Tasks that one worker process runs at the same time.")
    lease_seconds: float = Field(
        15.0, ge=1, le=600, description="A task whose worker is silent this long is reclaimed."
    )
    heartbeat_seconds: float = Field(3.0, ge=0.1, le=60, description="How often a worker renews its leases.")
    poll_seconds: float = Field(1.0, ge=0.05, le=60, description="How often to look for tasks without being woken.")
    engine_processes: int = Field(2, ge=1, le=256, description="Operator processes that one run may use.")
    scratch: str | None = Field(None, description="Folder for part files while a run works. Empty: the system's.")
