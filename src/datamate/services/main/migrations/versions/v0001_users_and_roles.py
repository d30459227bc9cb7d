"""Users, and the three roles that always exist."""

import sqlalchemy as sa
from alembic import op

revision = "main_0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "main"

_READ = ("dataset:read", "operator:read", "profile:read", "run:read", "tag:read", "task:read")
_WRITE = ("dataset:write", "run:write", "tag:write", "task:write")
_ADMINISTER = ("role:read", "task:manage", "user:read", "user:write")

_ROLES = {
    "ADMIN": (*_READ, *_WRITE, *_ADMINISTER),
    "EDITOR": (*_READ, *_WRITE),
    "VIEWER": _READ,
}


def upgrade() -> None:
    """Make the tables and their first rows."""
    roles = op.create_table(
        "roles",
        sa.Column("name", sa.String(20), nullable=False, comment="What `users.role` names."),
        sa.PrimaryKeyConstraint("name", name="pk_roles"),
        schema=SCHEMA,
    )
    grants = op.create_table(
        "role_permissions",
        sa.Column("role", sa.String(20), nullable=False, comment="The role."),
        sa.Column("permission", sa.String(50), nullable=False, comment="`resource:action`."),
        sa.PrimaryKeyConstraint("role", "permission", name="pk_role_permissions"),
        sa.ForeignKeyConstraint(
            ["role"], [f"{SCHEMA}.roles.name"], name="fk_role_permissions_role_roles", ondelete="CASCADE"
        ),
        schema=SCHEMA,
    )
    _create_users()
    op.bulk_insert(roles, [{"name": name} for name in _ROLES])
    op.bulk_insert(
        grants, [{"role": name, "permission": permission} for name, granted in _ROLES.items() for permission in granted]
    )


def downgrade() -> None:
    """Drop the tables with all accounts."""
    op.drop_table("users", schema=SCHEMA)
    op.drop_table("role_permissions", schema=SCHEMA)
    op.drop_table("roles", schema=SCHEMA)


def _create_users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("username", sa.String(50), nullable=False, comment="Unique whatever the case of its letters."),
        sa.Column("password", sa.String(255), nullable=False, comment="Argon2id hash."),
        sa.Column("email", sa.String(100), nullable=True),
        sa.Column("role", sa.String(20), nullable=False, comment="Its one role."),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.func.now(),
            comment="With time zone: no session setting shifts it.",
        ),
        sa.Column(
            "enabled",
            sa.Boolean(),
            nullable=False,
            server_default=sa.true(),
            comment="False: may not sign in, tokens are dead.",
        ),
        sa.Column(
            "epoch",
            sa.BigInteger(),
            nullable=False,
            server_default=sa.text("1"),
            comment="Tokens of another epoch are refused.",
        ),
        sa.Column(
            "version", sa.BigInteger(), nullable=False, server_default=sa.text("1"), comment="Grows with every change."
        ),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.ForeignKeyConstraint(["role"], [f"{SCHEMA}.roles.name"], name="fk_users_role_roles"),
        schema=SCHEMA,
    )
    op.create_index("uq_users_username", "users", [sa.text("lower(username)")], unique=True, schema=SCHEMA)
    op.create_index(
        "ix_users_administrators",
        "users",
        ["id"],
        schema=SCHEMA,
        postgresql_where=sa.text("role = 'ADMIN' AND enabled"),
    )
