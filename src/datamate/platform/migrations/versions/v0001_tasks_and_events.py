"""Tasks, events and their delivery, checkpoints."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "platform_0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "platform"

_NOTIFY_RELAYS = """
CREATE FUNCTION platform.notify_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('datamate_outbox', '');
  RETURN NULL;
END
$$
"""
_AFTER_INSERT = """
CREATE TRIGGER notify_outbox AFTER INSERT ON platform.outbox
FOR EACH STATEMENT EXECUTE FUNCTION platform.notify_outbox()
"""


def upgrade() -> None:
    """Apply this revision."""
    _create_task()
    _create_outbox()
    _create_delivery()
    _create_checkpoint()


def _create_task() -> None:
    op.create_table(
        "task",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False, comment="UUIDv7: sorts by age."),
        sa.Column("kind", sa.String(length=100), nullable=False, comment="Names the handler, such as runtime.run."),
        sa.Column("queue", sa.String(length=50), nullable=False, comment="Workers choose the queues they serve."),
        sa.Column("priority", sa.SmallInteger(), nullable=False, comment="Higher first."),
        sa.Column("status", sa.String(length=20), server_default="queued", nullable=False),
        sa.Column("payload", JSONB(), nullable=False, comment="What the handler is given."),
        sa.Column("progress", JSONB(), nullable=True),
        sa.Column("result", JSONB(), nullable=True),
        sa.Column("error", JSONB(), nullable=True, comment="Why the last attempt failed."),
        sa.Column("attempt", sa.SmallInteger(), server_default="0", nullable=False, comment="Claims so far."),
        sa.Column("max_attempts", sa.SmallInteger(), nullable=False),
        sa.Column(
            "fence",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="Goes up at every claim; a write with an older number is refused.",
        ),
        sa.Column("lease_owner", sa.String(length=200), nullable=True, comment="The worker that runs it."),
        sa.Column(
            "lease_until", sa.DateTime(timezone=True), nullable=True, comment="When any worker may take it over."
        ),
        sa.Column(
            "available_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Not claimed before; retries wait here.",
        ),
        sa.Column(
            "idempotency_key", sa.String(length=200), nullable=True, comment="One task per kind, creator and key."
        ),
        sa.Column("created_by", sa.String(length=50), nullable=False, comment="Id of the user it works for."),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "version", sa.BigInteger(), server_default="1", nullable=False, comment="Grows with every visible change."
        ),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'cancelling', 'succeeded', 'failed', 'cancelled')", name="ck_task_status"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_task"),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_task_claim",
        "task",
        [sa.text("priority DESC"), "id"],
        schema=SCHEMA,
        postgresql_where=sa.text("status = 'queued'"),
    )
    op.create_index("ix_task_created_by_id", "task", ["created_by", "id"], schema=SCHEMA)
    op.create_index(
        "ix_task_leased", "task", ["id"], schema=SCHEMA, postgresql_where=sa.text("status IN ('running', 'cancelling')")
    )
    op.create_index(
        "uq_task_idempotency_key",
        "task",
        ["kind", "created_by", "idempotency_key"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False, comment="Consumers dedupe by it."),
        sa.Column("topic", sa.String(length=100), nullable=False, comment="Name of the Redis stream."),
        sa.Column("version", sa.SmallInteger(), nullable=False, comment="Version of the event's fields."),
        sa.Column("aggregate_id", sa.String(length=100), nullable=False, comment="What it happened to."),
        sa.Column("aggregate_version", sa.BigInteger(), nullable=False, comment="Handlers ignore what is older."),
        sa.Column("payload", JSONB(), nullable=False, comment="The event's fields."),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True, comment="Null until on Redis."),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_outbox_unpublished", "outbox", ["id"], schema=SCHEMA, postgresql_where=sa.text("published_at IS NULL")
    )
    op.execute(_NOTIFY_RELAYS)
    op.execute(_AFTER_INSERT)


def _create_delivery() -> None:
    op.create_table(
        "subscription",
        sa.Column("topic", sa.String(length=100), nullable=False),
        sa.Column("subscriber", sa.String(length=200), nullable=False, comment="service.function."),
        sa.Column(
            "seen_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When a process last had it.",
        ),
        sa.PrimaryKeyConstraint("topic", "subscriber", name="pk_subscription"),
        schema=SCHEMA,
    )
    op.create_table(
        "inbox",
        sa.Column("subscriber", sa.String(length=200), nullable=False, comment="service.function."),
        sa.Column("event_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("subscriber", "event_id", name="pk_inbox"),
        schema=SCHEMA,
    )
    op.create_table(
        "dead_letter",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column(
            "subscriber", sa.String(length=200), nullable=False, comment="service.function, or the service alone."
        ),
        sa.Column("topic", sa.String(length=100), nullable=False),
        sa.Column("message_id", sa.String(length=50), nullable=False, comment="Its id in the Redis stream."),
        sa.Column("event_id", sa.Uuid(as_uuid=False), nullable=True, comment="Null when it cannot be read."),
        sa.Column("fields", JSONB(), nullable=False, comment="The message as it was."),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("redriven_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_dead_letter"),
        schema=SCHEMA,
    )
    op.create_index("ix_dead_letter_event_id", "dead_letter", ["event_id"], schema=SCHEMA)
    op.create_index(
        "uq_dead_letter_message", "dead_letter", ["subscriber", "topic", "message_id"], unique=True, schema=SCHEMA
    )


def _create_checkpoint() -> None:
    op.create_table(
        "checkpoint",
        sa.Column("run_id", sa.String(length=50), nullable=False),
        sa.Column("stage", sa.String(length=50), nullable=False, comment="What was done: stage0, duplicates0."),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "key",
            sa.String(length=200),
            nullable=False,
            comment="What the results depend on; rows of another key are void.",
        ),
        sa.Column("attempt", sa.Integer(), nullable=False, comment="Attempt of the engine that succeeded."),
        sa.Column("fence", sa.BigInteger(), nullable=False, comment="Claim of the task that wrote it."),
        sa.Column("payload", JSONB(), nullable=False, comment="Output files and counters."),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "stage", "partition", name="pk_checkpoint"),
        schema=SCHEMA,
    )
