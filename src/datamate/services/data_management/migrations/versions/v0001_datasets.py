"""Datasets, tags, blobs, versions, uploads and lineage."""

import sqlalchemy as sa
from alembic import op

revision = "data_management_0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "data_management"
_TABLES = (
    "datasets",
    "tags",
    "dataset_tags",
    "statistics_deltas",
    "blobs",
    "dataset_versions",
    "entries",
    "changes",
    "uploads",
    "lineage_edges",
)


def upgrade() -> None:
    """Make the tables."""
    _create_datasets()
    _create_versions()
    _create_changes()


def downgrade() -> None:
    """Drop the tables with everything in them."""
    for table in reversed(_TABLES):
        op.drop_table(table, schema=SCHEMA)


def _create_datasets() -> None:
    op.create_table(
        "datasets",
        sa.Column("id", sa.String(50), nullable=False, comment="UUIDv7."),
        sa.Column("name", sa.String(100), nullable=False, comment="Unique among datasets that are not deleted."),
        sa.Column("description", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("type", sa.String(20), nullable=False),
        sa.Column(
            "status", sa.String(20), server_default=sa.text("'active'"), nullable=False, comment="active or deleted"
        ),
        sa.Column("created_by", sa.String(50), nullable=False, comment="Id of the user who made it."),
        sa.Column(
            "key",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Short key for the millions of entries.",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column(
            "version",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Newest version; 0 before any.",
        ),
        sa.Column(
            "file_count",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Kept as a running total.",
        ),
        sa.Column(
            "size_bytes",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Kept as a running total.",
        ),
        sa.Column(
            "revision",
            sa.BigInteger(),
            server_default=sa.text("1"),
            nullable=False,
            comment="Grows with every change; orders its events.",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_datasets"),
        sa.UniqueConstraint("key", name="uq_datasets_key"),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_datasets_active", "datasets", ["id"], schema=SCHEMA, postgresql_where=sa.text("status = 'active'")
    )
    op.create_index(
        "uq_datasets_name",
        "datasets",
        ["name"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=sa.text("status <> 'deleted'"),
    )
    op.create_table(
        "tags",
        sa.Column("name", sa.String(100, collation="C"), nullable=False),
        sa.Column("color", sa.String(7), nullable=False, comment="#rrggbb"),
        sa.Column(
            "dataset_count",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Kept as a running total.",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_tags"),
        schema=SCHEMA,
    )
    op.create_table(
        "dataset_tags",
        sa.Column("dataset_key", sa.BigInteger(), nullable=False),
        sa.Column("tag", sa.String(100, collation="C"), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_key"], [f"{SCHEMA}.datasets.key"], name="fk_dataset_tags_dataset_key_datasets", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["tag"], [f"{SCHEMA}.tags.name"], name="fk_dataset_tags_tag_tags"),
        sa.PrimaryKeyConstraint("dataset_key", "tag", name="pk_dataset_tags"),
        schema=SCHEMA,
    )
    op.create_index("ix_dataset_tags_tag", "dataset_tags", ["tag", "dataset_key"], schema=SCHEMA)
    op.create_table(
        "statistics_deltas",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("dataset_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("file_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_statistics_deltas"),
        schema=SCHEMA,
    )


def _create_versions() -> None:
    op.create_table(
        "blobs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="BLAKE3, 32 bytes."),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("object_key", sa.String(200), nullable=False, comment="blobs/<hash>/<uuid> in the object store."),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_blobs"),
        sa.UniqueConstraint("hash", name="uq_blobs_hash"),
        schema=SCHEMA,
    )
    op.create_table(
        "dataset_versions",
        sa.Column("dataset_key", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="1, 2, 3, …"),
        sa.Column("hash", sa.LargeBinary(), nullable=True, comment="Identity of its content; null until computed."),
        sa.Column("file_count", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False, comment="Files that it has and its predecessor has not."),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("removed", sa.BigInteger(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(50), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("source_run_id", sa.String(50), nullable=True, comment="The run that made it; one version a run."),
        sa.ForeignKeyConstraint(
            ["dataset_key"], [f"{SCHEMA}.datasets.key"], name="fk_dataset_versions_dataset_key_datasets"
        ),
        sa.PrimaryKeyConstraint("dataset_key", "version", name="pk_dataset_versions"),
        sa.UniqueConstraint("dataset_key", "source_run_id", name="uq_dataset_versions_dataset_key_source_run_id"),
        schema=SCHEMA,
    )
    op.create_table(
        "entries",
        sa.Column("dataset_key", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.Text(collation="C"), nullable=False),
        sa.Column("v_from", sa.BigInteger(), nullable=False, comment="First version that shows it."),
        sa.Column(
            "v_to", sa.BigInteger(), nullable=True, comment="First version that does not; null: the newest does."
        ),
        sa.Column("blob_id", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(255), nullable=False),
        sa.Column("file_id", sa.Uuid(as_uuid=False), nullable=False, comment="Stays when content or path change."),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, comment="When the path got this content."),
        sa.ForeignKeyConstraint(["blob_id"], [f"{SCHEMA}.blobs.id"], name="fk_entries_blob_id_blobs"),
        sa.PrimaryKeyConstraint("dataset_key", "path", "v_from", name="pk_entries"),
        schema=SCHEMA,
    )
    op.create_index("ix_entries_file_id", "entries", ["file_id", "v_from"], schema=SCHEMA)
    op.create_index("ix_entries_v_from", "entries", ["dataset_key", "v_from"], schema=SCHEMA)
    op.create_index(
        "ix_entries_v_to",
        "entries",
        ["dataset_key", "v_to", "path"],
        schema=SCHEMA,
        postgresql_where=sa.text("v_to IS NOT NULL"),
    )
    op.create_index(
        "uq_entries_head",
        "entries",
        ["dataset_key", "path"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=sa.text("v_to IS NULL"),
    )


def _create_changes() -> None:
    op.create_table(
        "changes",
        sa.Column("change_set_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("path", sa.Text(collation="C"), nullable=False),
        sa.Column("blob_id", sa.BigInteger(), nullable=True, comment="Null: the path is removed."),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(255), nullable=False),
        sa.Column("file_id", sa.Uuid(as_uuid=False), nullable=False, comment="Id of the file, if the path is new."),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.ForeignKeyConstraint(["blob_id"], [f"{SCHEMA}.blobs.id"], name="fk_changes_blob_id_blobs"),
        sa.PrimaryKeyConstraint("change_set_id", "path", name="pk_changes"),
        schema=SCHEMA,
    )
    op.create_table(
        "uploads",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("dataset_id", sa.String(50), nullable=False),
        sa.Column("status", sa.String(20), server_default=sa.text("'open'"), nullable=False),
        sa.Column("base_version", sa.BigInteger(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(50), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=True, comment="The version that holds its files."),
        sa.ForeignKeyConstraint(["dataset_id"], [f"{SCHEMA}.datasets.id"], name="fk_uploads_dataset_id_datasets"),
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_uploads_expiry", "uploads", ["expires_at"], schema=SCHEMA, postgresql_where=sa.text("status = 'open'")
    )
    op.create_table(
        "lineage_edges",
        sa.Column("target_key", sa.BigInteger(), nullable=False),
        sa.Column("target_version", sa.BigInteger(), nullable=False),
        sa.Column("source_key", sa.BigInteger(), nullable=False),
        sa.Column("source_version", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.String(50), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_key"], [f"{SCHEMA}.datasets.key"], name="fk_lineage_edges_source_key_datasets"
        ),
        sa.ForeignKeyConstraint(
            ["target_key"], [f"{SCHEMA}.datasets.key"], name="fk_lineage_edges_target_key_datasets"
        ),
        sa.PrimaryKeyConstraint(
            "target_key", "target_version", "source_key", "source_version", name="pk_lineage_edges"
        ),
        schema=SCHEMA,
    )
    op.create_index("ix_lineage_edges_source", "lineage_edges", ["source_key", "source_version"], schema=SCHEMA)
