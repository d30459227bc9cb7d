"""The OpenAPI document of a service: what FastAPI derives, plus problems and permissions."""

from typing import Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import JsonValue, TypeAdapter

from datamate.contracts.problem import PROBLEM_MEDIA_TYPE, Problem
from datamate.platform.security.permissions import InternalGuard, PermissionGuard, PublicGuard, route_guards

SECURITY_SCHEME: Final = "bearer"

_SCHEMAS: Final = "#/components/schemas/"
_OPERATIONS: Final = ("get", "put", "post", "delete", "patch", "head", "options")
_PROBLEM_ANSWER: Final[JsonValue] = {
    "description": "What went wrong and what to do about it.",
    "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": _SCHEMAS + "Problem"}}},
}

Document = dict[str, JsonValue]


def build_openapi(app: FastAPI) -> Document:
    """Return the document of an application; internal routes are left out."""
    contexts = [
        context
        for context in iter_route_contexts(app.routes)
        if isinstance(context.original_route, APIRoute)
        and context.include_in_schema
        and not any(isinstance(guard, InternalGuard) for guard in route_guards(context))
    ]
    document: Document = TypeAdapter(Document).validate_python(
        get_openapi(title=app.title, version=app.version, description=app.description, routes=contexts)
    )
    paths = _mapping(document, "paths")
    for context in contexts:
        for method in context.methods or ():
            operation = _mapping(_mapping(paths, context.path_format or ""), method.lower())
            _describe(operation, [guard for guard in route_guards(context) if not isinstance(guard, InternalGuard)])
    _add_components(document)
    return document


def _describe(operation: Document, guards: list[PermissionGuard | PublicGuard]) -> None:
    answers = _mapping(operation, "responses")
    answers.pop("422", None)
    answers["default"] = _PROBLEM_ANSWER
    permissions = [guard.permission.value for guard in guards if isinstance(guard, PermissionGuard)]
    if permissions:
        operation["security"] = [{SECURITY_SCHEME: []}]
        operation["x-datamate-permissions"] = [*permissions]


def _add_components(document: Document) -> None:
    components = _mapping(document, "components")
    schemas = _mapping(components, "schemas")
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem: Document = Problem.model_json_schema(ref_template=_SCHEMAS + "{model}", mode="serialization")
    schemas.update(_mapping(problem, "$defs"))
    problem.pop("$defs")
    schemas["Problem"] = problem
    components["securitySchemes"] = {SECURITY_SCHEME: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}


def _mapping(parent: Document, key: str) -> Document:
    value = parent.setdefault(key, {})
    if not isinstance(value, dict):
        raise TypeError(f"{key} of the OpenAPI document is not an object.")
    return value
