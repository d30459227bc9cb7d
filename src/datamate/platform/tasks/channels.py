"""PostgreSQL channels that wake workers; a lost notification only costs a poll."""

QUEUED_CHANNEL = "datamate_task_queued"
CANCEL_CHANNEL = "datamate_task_cancel"
