"""Who may call which route: every route of the service is in this table."""

import pytest
from fastapi.routing import iter_route_contexts

from factories.calls import Caller, principal

ALL = {"ADMIN", "EDITOR", "VIEWER"}
EVERY_TASK = "00000000-0000-7000-8000-000000000000"

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
@pytest.mark.parametrize(("method", "path"), list(ROUTES))
async def test_route_refuses_whoever_lacks_the_permission(app, method, path, role):
    target = path.format(user_id=1, task_id=EVERY_TASK)
    answer = await Caller(app, principal(role))(method, target, {} if method in {"POST", "PATCH"} else None)
    assert (answer.status == 403) == (role not in ROUTES[method, path]), answer
    assert answer.status < 500


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if route[1] != "/auth/login"])
async def test_route_refuses_a_part_of_datamate_that_acts_for_nobody(app, method, path):
    target = path.format(user_id=1, task_id=EVERY_TASK)
    answer = await Caller(app, part="runtime")(method, target, {} if method in {"POST", "PATCH"} else None)
    assert answer.status in {403, 404}
