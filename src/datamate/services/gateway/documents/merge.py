"""The OpenAPI documents of the services as one document of the gateway."""

import asyncio
import json
from collections.abc import Mapping
from typing import Final

import orjson
import structlog
from pydantic import JsonValue

from datamate import __version__
from datamate.core.errors import DatamateError
from datamate.platform.http.openapi import SECURITY_SCHEME
from datamate.services.gateway.routing.table import API_PREFIX, RouteTable
from datamate.services.gateway.upstream.port import Upstream

Document = dict[str, JsonValue]

_SCHEMAS: Final = "#/components/schemas/"
_log = structlog.get_logger(__name__)


class MergedDocument:
    """Fetches the documents when first asked, and keeps the merged one once no service was missing."""

    def __init__(self, upstreams: Mapping[str, Upstream], routes: RouteTable) -> None:
        self._upstreams = upstreams
        self._routes = routes
        self._complete: Document | None = None

    async def read(self) -> Document:
        """Return the merged document; services that do not answer are left out and named in its description."""
        if self._complete is not None:
            return self._complete
        fetched = await asyncio.gather(*(_fetch(upstream) for upstream in self._upstreams.values()))
        documents = dict(zip(self._upstreams, fetched, strict=True))
        missing = sorted(name for name, document in documents.items() if document is None)
        merged = merge({name: item for name, item in documents.items() if item is not None}, self._routes)
        if missing:
            _info(merged)["description"] = f"Not answering at the moment, and left out: {', '.join(missing)}."
        else:
            self._complete = merged
        return merged


def merge(documents: Mapping[str, Document], routes: RouteTable) -> Document:
    """Return one document of what the gateway routes.

    Args:
        documents: Those of the services, by name.
        routes: Addresses that it does not find are left out.
    """
    paths: Document = {}
    schemas: Document = {}
    for service, original in documents.items():
        document = _renamed(original, service)
        for path, item in _mapping(document.get("paths")).items():
            match = routes.find("GET", f"{API_PREFIX}{path}".encode())
            if match is not None and match.route.service == service:
                paths[API_PREFIX + path] = _with_operation_ids(_mapping(item), service)
        components = _mapping(document.get("components"))
        schemas.update({f"{service}_{name}": item for name, item in _mapping(components.get("schemas")).items()})
    scheme: JsonValue = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "DataMate", "version": __version__},
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": schemas, "securitySchemes": {SECURITY_SCHEME: scheme}},
    }


def _renamed(document: Document, service: str) -> Document:
    """Return a document whose references carry the service's name, so that equal names cannot clash."""
    text = json.dumps(document).replace(f'"{_SCHEMAS}', f'"{_SCHEMAS}{service}_')
    renamed: Document = orjson.loads(text)
    return renamed


def _with_operation_ids(item: Document, service: str) -> Document:
    named: Document = {}
    for method, operation in item.items():
        if isinstance(operation, dict) and "operationId" in operation:
            named[method] = {**operation, "operationId": f"{service}_{operation['operationId']}"}
        else:
            named[method] = operation
    return named


async def _fetch(upstream: Upstream) -> Document | None:
    try:
        status, body = await upstream.fetch("/openapi.json")
    except DatamateError as error:
        _log.warning("document_missing", reason=error.detail)
        return None
    return _mapping(orjson.loads(body)) if status == 200 else None


def _info(document: Document) -> Document:
    return _mapping(document["info"])


def _mapping(value: JsonValue | None) -> Document:
    return value if isinstance(value, dict) else {}
