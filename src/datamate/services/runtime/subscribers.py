"""What the runtime service does when something happens elsewhere."""

from datamate.contracts.main.events import TaskCompleted
from datamate.platform.db import Session
from datamate.platform.events import subscribe
from datamate.services.runtime.runs.kinds import RUN_TASK
from datamate.services.runtime.runs.service import announce_end


@subscribe(TaskCompleted)
async def run_ended(event: TaskCompleted, session: Session) -> None:
    """Publish `run.completed` when the task of a run has ended."""
    if event.kind == RUN_TASK.name:
        await announce_end(session, event.aggregate_id, status=event.status, task_version=event.aggregate_version)
