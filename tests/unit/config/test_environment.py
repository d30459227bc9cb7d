"""A child process reads exactly the settings of its parent from the environment it is given."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from datamate.config.environment import child_environment
from datamate.config.root import Settings, known_variables, load_settings, unknown_variables


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in known_variables():
        monkeypatch.delenv(name, raising=False)


def test_child_reads_the_same_settings_when_given_the_environment(monkeypatch):
    settings = load_settings()
    changed = settings.model_copy(
        update={
            "home": Path("/somewhere"),
            "jwt": settings.jwt.model_copy(update={"secret": SecretStr("s" * 40), "expiration": 77}),
            "gateway": settings.gateway.model_copy(update={"port": 0}),
            "log": settings.log.model_copy(update={"level": "warning"}),
        }
    )
    environment = child_environment(changed)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert not list(unknown_variables(environment))
    assert Settings() == changed


def test_variable_of_the_parent_is_not_inherited_when_the_settings_differ(monkeypatch):
    settings = load_settings()
    monkeypatch.setenv("DATAMATE_GATEWAY__PORT", "9999")
    monkeypatch.setenv("SOMETHING_ELSE", "kept")
    environment = child_environment(settings)
    assert "DATAMATE_GATEWAY__PORT" not in environment
    assert environment["SOMETHING_ELSE"] == "kept"
