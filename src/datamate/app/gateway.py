"""The gateway of a process, before services in it and services elsewhere."""

from collections.abc import Iterable

from datamate.app.wiring import Wiring
from datamate.platform.cache import Cache
from datamate.services.gateway.app import Gateway, create_app
from datamate.services.gateway.deps import GatewayResources
from datamate.services.gateway.edge.principals import MainPrincipals
from datamate.services.gateway.upstream.in_process import InProcessUpstream
from datamate.services.gateway.upstream.port import Upstream


def build_gateway(wiring: Wiring, services: Iterable[str]) -> Gateway:
    """Return the gateway.

    Args:
        wiring: The process.
        services: Names of all services behind it.
    """
    # A cache of its own: on a miss it waits for the main service, which may be in this process and fill the same key.
    principals = MainPrincipals(wiring.transport("main", caller="gateway"), Cache(wiring.redis))
    resources = GatewayResources(access_tokens=wiring.access_tokens, principals=principals)
    return create_app(resources, {name: _upstream(wiring, name) for name in services})


def _upstream(wiring: Wiring, name: str) -> Upstream:
    if wiring.is_mounted(name):
        return InProcessUpstream(wiring.app(name))
    # aiohttp takes 0.11 s of CPU to import, which a process that holds all services can do without.
    from datamate.services.gateway.upstream.over_http import HttpUpstream

    return HttpUpstream(wiring.base_url(name), service=name, tokens=wiring.internal_tokens)
