"""The first administrator: made once, by whichever process comes first, and able to sign in."""

import asyncio
import stat

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from datamate.config.identity import BootstrapSettings
from datamate.core.errors import ConfigurationError
from datamate.services.main.bootstrap.service import make_first_administrator
from datamate.services.main.users.models import UserRow
from factories.calls import Caller


@pytest.fixture
def make(database, passwords, tmp_path):
    def run(**settings):
        return make_first_administrator(
            database, BootstrapSettings(**settings), home=tmp_path / "home", passwords=passwords
        )

    return run


async def login(app, username, password):
    return (await Caller(app)("POST", "/auth/login", {"username": username, "password": password})).status


async def test_random_password_is_written_for_its_owner_alone_when_none_is_configured(app, make):
    made = await make()
    assert made is not None
    assert stat.S_IMODE(made.password_file.stat().st_mode) == 0o600
    password = made.password_file.read_text().strip()
    assert len(password) == 24
    assert password == made.password.get_secret_value()
    assert password not in repr(made)
    assert await login(app, "admin", password) == 200


async def test_no_file_is_written_when_the_password_is_configured(app, make, tmp_path):
    made = await make(admin_username="root", admin_password=SecretStr("chosen by the operator"))
    assert (made.password, made.password_file) == (None, None)
    assert not (tmp_path / "home").exists()
    assert await login(app, "root", "chosen by the operator") == 200


async def test_nobody_is_made_when_there_are_users(make, new_user, tmp_path):
    await new_user(role="VIEWER")
    assert await make() is None
    assert not (tmp_path / "home").exists()


async def test_one_is_made_when_several_start_at_once(app, make, database, tmp_path):
    made = [one for one in await asyncio.gather(*(make() for _ in range(5))) if one is not None]
    assert len(made) == 1
    async with database.reader() as session:
        assert await session.scalar(select(func.count()).select_from(UserRow)) == 1
    assert await login(app, "admin", (tmp_path / "home" / "admin-password").read_text().strip()) == 200


async def test_nobody_is_made_when_the_password_cannot_be_written(make, database, tmp_path):
    (tmp_path / "home").write_text("a file where the folder should be")
    with pytest.raises(ConfigurationError, match="DATAMATE_BOOTSTRAP__ADMIN_PASSWORD"):
        await make()
    async with database.reader() as session:
        assert await session.scalar(select(func.count()).select_from(UserRow)) == 0
