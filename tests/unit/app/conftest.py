"""Settings of an installation on the test's own engines."""

import logging

import pytest
import structlog

from factories.processes import add_administrator, installation


@pytest.fixture(autouse=True, scope="module")
def logging_restored():
    """A served process sets up logging for good; the next test has another stream."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def settings_for(redis_engine, tmp_path):
    """Makes the settings of an installation on a database."""
    return lambda database_url, **changes: installation(database_url, redis_engine.url, tmp_path / "home", **changes)


@pytest.fixture
def settings(own_database_url, redis, settings_for):
    return settings_for(own_database_url)


@pytest.fixture
async def administrator(settings):
    """An administrator who can sign in as `admin`."""
    await add_administrator(settings)
