"""What the gateway needs of its process."""

from dataclasses import dataclass

from datamate.platform.security import AccessTokens
from datamate.services.gateway.edge.identity import PrincipalSource


@dataclass(frozen=True, kw_only=True)
class GatewayResources:
    """Given by the composition root, which opens and closes what is inside.

    Attributes:
        access_tokens: Verifies what clients send.
        principals: Knows users as they are now.
    """

    access_tokens: AccessTokens
    principals: PrincipalSource
