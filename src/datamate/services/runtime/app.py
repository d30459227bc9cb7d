"""The application of the runtime service."""

from typing import Final

from fastapi import FastAPI

from datamate.platform.http.service import create_service_app
from datamate.services.runtime.deps import RuntimeResources
from datamate.services.runtime.operators.router import router as operators
from datamate.services.runtime.runs.router import router as runs

NAME: Final = "runtime"


def create_app(resources: RuntimeResources) -> FastAPI:
    """Return the runtime service.

    Args:
        resources: Open for as long as the application serves; the caller closes them.
    """
    return create_service_app(NAME, resources, [operators, runs], title="DataMate: operators and runs")
