"""Runs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "runtime_0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "runtime"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "run",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False, comment="UUIDv7: sorts by age."),
        sa.Column("task_id", sa.Uuid(as_uuid=False), nullable=False, comment="Id in platform.task."),
        sa.Column("recipe", sa.Text(), nullable=False, comment="The recipe as YAML, as it was given."),
        sa.Column("dataset_id", sa.String(50), nullable=False, comment="Dataset that is read."),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            comment="Version that is read; fixed when the run is made.",
        ),
        sa.Column("output_dataset_id", sa.String(50), nullable=False, comment="Dataset that the result goes to."),
        sa.Column("output_format", sa.String(20), nullable=False, comment="jsonl or parquet."),
        sa.Column("output_version", sa.BigInteger(), nullable=True, comment="Version made; null until then."),
        sa.Column("created_by", sa.String(50), nullable=False, comment="Id of the user it works for."),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("plan", JSONB(none_as_null=True), nullable=True, comment="Stages, partitions."),
        sa.Column(
            "summary",
            JSONB(none_as_null=True),
            nullable=True,
            comment="The account: rows in, kept, dropped, quarantined.",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
        sa.UniqueConstraint("task_id", name="uq_run_task_id"),
        schema=SCHEMA,
    )
    op.create_index("ix_run_created_by_id", "run", ["created_by", "id"], schema=SCHEMA)
    op.create_index("ix_run_dataset_id_id", "run", ["dataset_id", "id"], schema=SCHEMA)


def downgrade() -> None:
    """Drop the tables with all runs."""
    op.drop_table("run", schema=SCHEMA)
