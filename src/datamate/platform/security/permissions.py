"""What a route asks of its caller, and the check that every route asks something."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, FastAPI, Request, params
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from datamate.contracts.main.permissions import Permission
from datamate.core.errors import ConfigurationError, PermissionDeniedError, UnauthenticatedError
from datamate.platform.security.principal import PRINCIPAL_SCOPE_KEY, Principal


def current_principal(request: Request) -> Principal:
    """Return the verified caller of a request.

    Raises:
        UnauthenticatedError: Nobody vouched for the caller.
    """
    principal = request.scope.get(PRINCIPAL_SCOPE_KEY)
    if not isinstance(principal, Principal):
        raise UnauthenticatedError
    return principal


async def _current_principal(request: Request) -> Principal:
    return current_principal(request)


CurrentPrincipal = Annotated[Principal, Depends(_current_principal)]
"""The verified caller, as a parameter of a route."""


@dataclass(frozen=True, slots=True)
class PermissionGuard:
    """Lets a request through if its caller holds one permission."""

    permission: Permission

    async def __call__(self, request: Request) -> None:
        """Refuse the request of a caller that lacks the permission."""
        if not current_principal(request).may(self.permission):
            raise PermissionDeniedError(f"Your role does not permit {self.permission.value}.")


@dataclass(frozen=True, slots=True)
class InternalGuard:
    """Lets a request through if a part of DataMate makes it for itself."""

    callers: frozenset[str]

    async def __call__(self, request: Request) -> None:
        """Refuse the request of a user, and of a part of DataMate that has no business here."""
        principal = current_principal(request)
        if not principal.is_service or principal.actor not in self.callers:
            raise PermissionDeniedError("Only parts of DataMate may call this address.")


@dataclass(frozen=True, slots=True)
class PublicGuard:
    """Lets every request through: the mark of a route that is public on purpose."""

    async def __call__(self) -> None:
        """Let the request through."""


Guard = PermissionGuard | InternalGuard | PublicGuard

public: params.Depends = Depends(PublicGuard())
"""For `dependencies=[public]`: anyone may call this route."""


def require_permission(permission: Permission) -> params.Depends:
    """Return what goes into a route's `dependencies` so that only holders of the permission pass."""
    return params.Depends(PermissionGuard(permission))


def internal_only(*callers: str) -> params.Depends:
    """Return what goes into a route's `dependencies` so that only these parts of DataMate pass, for themselves."""
    return params.Depends(InternalGuard(frozenset(callers)))


def check_routes(app: FastAPI) -> None:
    """Refuse an application that has a route without a declared permission.

    Raises:
        ConfigurationError: A route neither requires a permission nor is public or internal on purpose, or is both.
    """
    faults = [fault for context in iter_route_contexts(app.routes) if (fault := _fault(context))]
    if faults:
        raise ConfigurationError(
            "Every route declares require_permission(…), internal_only(…) or public. " + "; ".join(faults)
        )


def route_guards(context: RouteContext) -> list[Guard]:
    """Return the guards of one route, those of its routers included."""
    dependant = getattr(context, "dependant", None)
    return list(_guards(dependant)) if isinstance(dependant, Dependant) else []


def _fault(context: RouteContext) -> str | None:
    if not isinstance(context.original_route, APIRoute):
        return f"{context.path}: only API routes can declare a permission"
    guards = route_guards(context)
    where = f"{','.join(sorted(context.methods or ()))} {context.path}"
    if not guards:
        return f"{where}: declares nothing"
    if len(guards) > 1 and any(isinstance(guard, PublicGuard) for guard in guards):
        return f"{where}: is public and guarded at once"
    return None


def _guards(dependant: Dependant) -> Iterator[Guard]:
    for dependency in dependant.dependencies:
        if isinstance(dependency.call, PermissionGuard | InternalGuard | PublicGuard):
            yield dependency.call
        yield from _guards(dependency)
