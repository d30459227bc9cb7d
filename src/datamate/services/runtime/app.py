"""The runtime service as an ASGI application."""

from fastapi import FastAPI

from datamate.platform.http import create_service_app
from datamate.services.runtime.deps import RuntimeResources
from datamate.services.runtime.operators.router import router as operators
from datamate.services.runtime.runs.router import router as runs


def create_app(resources: RuntimeResources) -> FastAPI:
    """Return the application; its routes stand at the design's roots, without the gateway's prefix."""
    return create_service_app(
        "runtime",
        resources,
        [operators, runs],
        title="DataMate runtime",
        description="The operators there are, and runs of recipes over dataset versions.",
    )
