"""Identity between the parts of DataMate: principals, permissions of routes, tokens, passwords."""

from datamate.platform.security.access_tokens import AccessClaims, AccessTokens
from datamate.platform.security.internal_tokens import InternalTokens
from datamate.platform.security.passwords import PasswordHasher
from datamate.platform.security.permissions import (
    CurrentPrincipal,
    check_routes,
    current_principal,
    internal_only,
    public,
    require_permission,
)
from datamate.platform.security.principal import PRINCIPAL_SCOPE_KEY, Principal, service_principal

__all__ = [
    "PRINCIPAL_SCOPE_KEY",
    "AccessClaims",
    "AccessTokens",
    "CurrentPrincipal",
    "InternalTokens",
    "PasswordHasher",
    "Principal",
    "check_routes",
    "current_principal",
    "internal_only",
    "public",
    "require_permission",
    "service_principal",
]
