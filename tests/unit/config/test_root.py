"""Settings come from DATAMATE_* variables; what does not fit stops the start and names the variable."""

import pytest

from datamate.config.root import known_variables, load_settings
from datamate.core.errors import ConfigurationError


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in known_variables():
        monkeypatch.delenv(name, raising=False)


def test_ports_are_the_designs_when_nothing_is_set():
    settings = load_settings()
    ports = (settings.gateway, settings.main, settings.runtime, settings.data_management)
    assert [section.port for section in ports] == [8080, 8090, 8081, 8092]


def test_pool_is_twenty_five_thirty_when_nothing_is_set():
    database = load_settings().database
    limits = (database.pool_max_connections, database.pool_kept_connections, database.pool_wait_seconds)
    assert limits == (20, 5, 30.0)


def test_no_secret_has_a_default():
    settings = load_settings()
    assert (settings.jwt.secret, settings.internal.secret, settings.bootstrap.admin_password) == (None, None, None)


@pytest.mark.parametrize("name", ["DATAMATE_JWT__SECRT", "DATAMATE_JTW__SECRET", "DATAMATE_NONSENSE", "DATAMATE_JWT"])
def test_start_is_refused_when_a_variable_is_unknown(monkeypatch, name):
    monkeypatch.setenv(name, "x" * 40)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert name in str(caught.value)


def test_error_suggests_the_right_name_when_one_is_near(monkeypatch):
    monkeypatch.setenv("DATAMATE_JWT__EXPIRATON", "60")
    with pytest.raises(ConfigurationError, match="did you mean DATAMATE_JWT__EXPIRATION"):
        load_settings()


def test_value_of_a_secret_is_not_repeated_when_it_is_too_short(monkeypatch):
    monkeypatch.setenv("DATAMATE_JWT__SECRET", "hunter2-too-short")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert "DATAMATE_JWT__SECRET" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_error_names_the_variable_when_a_number_is_out_of_range(monkeypatch):
    monkeypatch.setenv("DATAMATE_GATEWAY__PORT", "70000")
    with pytest.raises(ConfigurationError, match="DATAMATE_GATEWAY__PORT"):
        load_settings()


def test_secret_is_hidden_when_settings_are_printed(monkeypatch):
    monkeypatch.setenv("DATAMATE_JWT__SECRET", "s3cret" * 8)
    assert "s3cret" not in repr(load_settings())
