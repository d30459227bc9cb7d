"""The application of the main service."""

from typing import Final

from fastapi import FastAPI

from datamate.platform.http.service import create_service_app
from datamate.services.main.auth.router import router as auth
from datamate.services.main.deps import MainResources
from datamate.services.main.principals.router import router as principals
from datamate.services.main.roles.router import router as roles
from datamate.services.main.tasks.router import router as tasks
from datamate.services.main.users.router import router as users

NAME: Final = "main"


def create_app(resources: MainResources) -> FastAPI:
    """Return the main service.

    Args:
        resources: Open for as long as the application serves; the caller closes them.
    """
    routers = [auth, users, roles, tasks, principals]
    return create_service_app(NAME, resources, routers, title="DataMate: users, roles and tasks")
