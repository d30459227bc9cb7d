"""Saved sign-ins."""

import stat
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from datamate.core.errors import ConfigurationError, InvalidInputError
from datamate.sdk.credentials import Credentials, CredentialsFile, normalise_url


def sign_in_to(url: str, token: str = "secret-token") -> Credentials:
    expires_at = datetime(2030, 1, 1, tzinfo=UTC)
    return Credentials(url=url, username="ann", access_token=SecretStr(token), expires_at=expires_at)


@pytest.fixture
def file(tmp_path) -> CredentialsFile:
    return CredentialsFile(tmp_path / "config/datamate/credentials.json")


def test_nothing_is_found_when_nobody_signed_in(file):
    assert file.find() is None
    assert file.find("http://a") is None
    assert file.remove() is None


def test_sign_in_comes_back_when_saved(file):
    file.save(sign_in_to("http://a:8080"))
    found = file.find("http://A:8080/")
    assert found == sign_in_to("http://a:8080")
    assert found.access_token.get_secret_value() == "secret-token"


def test_latest_is_current_when_several_servers_are_known(file):
    file.save(sign_in_to("http://a"))
    file.save(sign_in_to("http://b"))
    assert file.find() == sign_in_to("http://b")
    assert file.remove() == sign_in_to("http://b")
    assert file.find() == sign_in_to("http://a")


def test_file_is_private_when_written(file):
    file.save(sign_in_to("http://a"))
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.path.parent.iterdir()] == ["credentials.json"]


def test_token_is_hidden_when_credentials_are_shown():
    assert "secret-token" not in repr(sign_in_to("http://a"))


@pytest.mark.parametrize("content", ["", "{", '{"servers": {"http://a": {}}}', "\x00"])
def test_way_out_is_named_when_file_is_damaged(file, content):
    file.path.parent.mkdir(parents=True)
    file.path.write_text(content)
    with pytest.raises(ConfigurationError, match="Delete the file"):
        file.find()


def test_reason_is_named_when_file_cannot_be_written(tmp_path):
    (tmp_path / "datamate").write_text("a file where the folder should be")
    with pytest.raises(ConfigurationError):
        CredentialsFile(tmp_path / "datamate/credentials.json").save(sign_in_to("http://a"))


def test_user_folder_is_used_when_no_path_is_given(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert CredentialsFile().path == tmp_path / "datamate/credentials.json"
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert CredentialsFile().path == tmp_path / ".config/datamate/credentials.json"


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("http://Host:8080/", "http://host:8080"),
        (" https://host/datamate/ ", "https://host/datamate"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_address_has_one_form_when_normalised(given, normal):
    assert normalise_url(given) == normal


@pytest.mark.parametrize("given", ["", "host:8080", "ftp://host", "http://", "http://host?x=1", "http://host#x"])
def test_address_is_refused_when_it_is_none(given):
    with pytest.raises(InvalidInputError, match="http://127"):
        normalise_url(given)
