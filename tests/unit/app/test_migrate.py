"""Migrating: from nothing to a database with every table and one administrator, from many places at once."""

import asyncio
import json
import sys

import pytest

from datamate.app.migrate import migrate, missing_revisions
from datamate.app.services import SERVICES
from datamate.config.environment import child_environment
from datamate.core.errors import ConfigurationError, UnavailableError

SCHEMAS = {"platform", *(entry.name for entry in SERVICES if entry.has_schema)}


async def test_everything_is_applied_once_when_the_database_is_empty(empty_database_url, settings_for):
    settings = settings_for(empty_database_url)
    missing = await missing_revisions(settings)
    assert set(missing) == SCHEMAS
    first, second = await migrate(settings), await migrate(settings)
    assert first.applied == missing
    assert first.administrator.password_file == settings.home_folder / "admin-password"
    assert (dict(second.applied), second.administrator) == ({}, None)
    assert await missing_revisions(settings) == {}


async def test_one_administrator_is_made_when_processes_migrate_at_once(empty_database_url, settings_for):
    environment = child_environment(settings_for(empty_database_url))
    command = [sys.executable, "-m", "datamate", "migrate", "--json"]
    processes = [
        await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
        for _ in range(2)
    ]
    outputs = [(await process.communicate())[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    made = [administrator for output in outputs if (administrator := json.loads(output)["first_administrator"])]
    assert [administrator["username"] for administrator in made] == ["admin"]
    assert await missing_revisions(settings_for(empty_database_url)) == {}


async def test_error_names_the_variable_when_there_is_no_address(settings_for):
    settings = settings_for("", database={"url": None})
    with pytest.raises(ConfigurationError, match="DATAMATE_DATABASE__URL is missing"):
        await migrate(settings)


async def test_error_names_the_place_when_postgresql_is_away(settings_for):
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:1"):
        await migrate(settings_for("postgresql://someone:secret@127.0.0.1:1/datamate"))
