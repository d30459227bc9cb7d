"""Who may call which route: every route of the service is in this table."""

import pytest
from fastapi.routing import iter_route_contexts

from factories.calls import Caller, principal

ALL = {"ADMIN", "EDITOR", "VIEWER"}
SOME_TASK = "00000000-0000-7000-8000-000000000000"

ROUTES = {
    ("POST", "/auth/login"): ALL,
    ("GET", "/users"): {"ADMIN"},
    ("POST", "/users"): {"ADMIN"},
    ("GET", "/users/me"): ALL,
    ("GET", "/users/{user_id}"): {"ADMIN"},
    ("PATCH", "/users/{user_id}"): {"ADMIN"},
    ("GET", "/roles"): {"ADMIN"},
    ("GET", "/permissions"): {"ADMIN"},
    ("GET", "/tasks"): ALL,
    ("GET", "/tasks/{task_id}"): ALL,
    ("POST", "/tasks/{task_id}/cancel"): {"ADMIN", "EDITOR"},
    ("GET", "/tasks/{task_id}/events"): ALL,
    ("GET", "/internal/principals/{user_id}"): set(),
}


def test_table_holds_every_route(app):
    system = {"/health/live", "/health/ready", "/metrics", "/openapi.json"}
    routes = {
        (method, context.path)
        for context in iter_route_contexts(app.routes)
        for method in context.methods
        if context.path not in system
    }
    assert routes == set(ROUTES)


@pytest.mark.parametrize("role", sorted(ALL))
async def test_routes_refuse_whoever_lacks_the_permission(app, role):
    call = Caller(app, principal(role))
    answers = {route: await call(*_request(*route)) for route in ROUTES}
    refused = {route for route, answer in answers.items() if answer.status == 403}
    assert refused == {route for route, roles in ROUTES.items() if role not in roles}
    assert all(answer.status < 500 for answer in answers.values())


async def test_routes_refuse_a_part_of_datamate_that_acts_for_nobody(app):
    call = Caller(app, part="runtime")
    answers = {route: (await call(*_request(*route))).status for route in ROUTES}
    assert {route for route, status in answers.items() if status != 403} == {("POST", "/auth/login")}


def _request(method, path):
    target = path.format(user_id=1, task_id=SOME_TASK)
    return method, target, {} if method in {"POST", "PATCH"} else None
