"""Who stands behind a request, as services see it."""

from dataclasses import dataclass, field

PRINCIPAL_SCOPE_KEY = "datamate.principal"
"""Where the principal travels in an ASGI scope; no client can write there."""

_SERVICE_PREFIX = "service:"


@dataclass(frozen=True, slots=True)
class Principal:
    """A user, or a part of DataMate itself, whose identity has been verified.

    Attributes:
        user_id: The user's id as text; `service:<name>` for a part of DataMate.
        username: Shown in logs and audit rows.
        role: The name of the user's role; "" for a part of DataMate.
        permissions: What it may do, as `resource:action`.
        actor: The part of DataMate that passed the request on, or None when nobody did.
    """

    user_id: str
    username: str
    role: str
    permissions: frozenset[str] = field(default=frozenset(), repr=False)
    actor: str | None = None

    @property
    def is_service(self) -> bool:
        """Return whether this is a part of DataMate rather than a user."""
        return self.user_id.startswith(_SERVICE_PREFIX)

    def may(self, permission: str) -> bool:
        """Return whether the principal holds a permission."""
        return permission in self.permissions


def service_principal(name: str) -> Principal:
    """Return the identity of a part of DataMate that acts for itself: no user, no role, no permission."""
    return Principal(user_id=_SERVICE_PREFIX + name, username=name, role="", actor=name)
