"""What a role may permit: `resource:action`, and the three roles that always exist."""

from enum import StrEnum


class Permission(StrEnum):
    """Every permission that a route may ask for."""

    USER_READ = "user:read"
    USER_WRITE = "user:write"
    ROLE_READ = "role:read"
    TASK_READ = "task:read"
    TASK_WRITE = "task:write"
    TASK_MANAGE = "task:manage"
    """Everybody's tasks."""
    DATASET_READ = "dataset:read"
    DATASET_WRITE = "dataset:write"
    TAG_READ = "tag:read"
    TAG_WRITE = "tag:write"
    OPERATOR_READ = "operator:read"
    RUN_READ = "run:read"
    RUN_WRITE = "run:write"
    PROFILE_READ = "profile:read"
    """Everyone's own account."""


_VIEWER = frozenset(
    {
        Permission.PROFILE_READ,
        Permission.TASK_READ,
        Permission.DATASET_READ,
        Permission.TAG_READ,
        Permission.OPERATOR_READ,
        Permission.RUN_READ,
    }
)
_EDITOR = _VIEWER | {Permission.TASK_WRITE, Permission.DATASET_WRITE, Permission.TAG_WRITE, Permission.RUN_WRITE}

BUILT_IN_ROLES: dict[str, frozenset[Permission]] = {
    "ADMIN": frozenset(Permission),
    "EDITOR": _EDITOR,
    "VIEWER": _VIEWER,
}
