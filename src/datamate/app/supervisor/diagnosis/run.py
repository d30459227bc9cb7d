"""Runs every check, whatever the others found."""

from collections.abc import AsyncIterator

from datamate.app.supervisor.diagnosis.check import Check, collect, fail, ok
from datamate.app.supervisor.diagnosis.installation import installation_checks
from datamate.app.supervisor.diagnosis.machine import machine_checks
from datamate.app.supervisor.diagnosis.services import service_checks
from datamate.app.supervisor.home import Home
from datamate.config.root import load_settings
from datamate.core.errors import ConfigurationError


async def diagnose() -> AsyncIterator[Check]:
    """Yield the findings about the installation that this process's environment describes, one after the other."""
    try:
        settings = load_settings()
    except ConfigurationError as error:
        # Where anything is depends on the configuration, so there is nothing else to look at.
        yield fail("configuration", error.detail)
        return
    yield ok("configuration", "every DATAMATE_* variable is known and fits")
    home = Home(settings.home_folder)
    for check in collect("machine", lambda: machine_checks(home, settings)):
        yield check
    for check in collect("home", lambda: installation_checks(home, settings)):
        yield check
    async for check in service_checks(home, settings):
        yield check
