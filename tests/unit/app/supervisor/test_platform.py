"""A whole platform on real engines, with small stand-ins for the server and the workers."""

import asyncio
import os
import signal
import stat
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from datamate.app.supervisor.errors import HomeInUseError, PortInUseError, ProcessStartError
from datamate.app.supervisor.platform import Platform
from datamate.app.supervisor.ports import free_port
from datamate.config.root import Settings, load_settings
from datamate.core.errors import DatamateError


@pytest.fixture
def platform_in(make_platform):
    def make(home: Path, **sections: dict[str, object]) -> Platform:
        return make_platform(settings_for(home, **sections))

    return make


def settings_for(home: Path, **sections: dict[str, object]) -> Settings:
    settings = load_settings()
    sections = {"gateway": {"port": 0}} | sections
    changed = {name: getattr(settings, name).model_copy(update=fields) for name, fields in sections.items()}
    return settings.model_copy(update={"home": home, **changed})


async def ask(platform: Platform) -> int:
    def read() -> int:
        with urllib.request.urlopen(platform.url, timeout=30) as response:
            return int(response.read())

    return await asyncio.to_thread(read)


async def ask_until_answered(platform: Platform) -> int:
    async with asyncio.timeout(60):
        while True:
            try:
                return await ask(platform)
            except urllib.error.URLError:
                await asyncio.sleep(0.02)


async def test_rows_and_secrets_stay_when_the_platform_starts_again(tmp_path, platform_in):
    home = tmp_path / "home"
    async with platform_in(home) as platform:
        assert platform.first_administrator.username == "admin"
        assert platform.first_administrator.password == "random-password"
        assert set(platform.process_ids) == {"postgres", "redis", "server", "worker-1"}
        rows = await ask(platform)
        secrets = {path.name: path.read_text() for path in (home / "secrets").iterdir()}
    assert set(secrets) == {"jwt", "internal", "redis", "postgres", "postgres-superuser"}
    assert len(set(secrets.values())) == 5
    assert all(stat.S_IMODE((home / "secrets" / name).stat().st_mode) == 0o600 for name in secrets)
    async with platform_in(home) as platform:
        assert platform.first_administrator is None
        assert await ask(platform) > rows
        assert secrets == {path.name: path.read_text() for path in (home / "secrets").iterdir()}


async def test_second_start_is_refused_and_harmless_when_the_first_runs(tmp_path, platform_in):
    async with platform_in(tmp_path / "home") as platform:
        with pytest.raises(HomeInUseError, match=f"process id {os.getpid()}"):
            await platform_in(tmp_path / "home").start()
        assert await ask(platform) > 0


async def test_nothing_is_started_when_the_port_is_taken(tmp_path, platform_in):
    async with platform_in(tmp_path / "first") as platform:
        second = platform_in(tmp_path / "second", gateway={"port": platform.settings.gateway.port})
        with pytest.raises(PortInUseError, match=r"Port \d+ of 127.0.0.1 is in use by .*DATAMATE_GATEWAY__PORT"):
            await second.start()
        assert not (tmp_path / "second" / "postgres").exists()


async def test_platform_is_back_when_processes_are_killed(tmp_path, recorder, platform_in):
    async with platform_in(tmp_path / "home") as platform:
        rows = await ask(platform)
        for victims in (["postgres"], ["redis"], ["server"], ["worker-1"], ["postgres", "redis", "server"]):
            await kill(platform, recorder, victims)
            before, rows = rows, await ask_until_answered(platform)
            assert rows > before


async def kill(platform: Platform, recorder, victims: list[str]) -> None:
    recorder.events.clear()
    before = platform.process_ids
    for name in victims:
        os.kill(before[name], signal.SIGKILL)
    async with asyncio.timeout(60):
        while not all(f"{name} is back" in recorder.notes for name in victims):  # noqa: ASYNC110 - it sets no event
            await asyncio.sleep(0.01)
    after = platform.process_ids
    assert {name for name in before if before[name] != after[name]} == set(victims)


async def test_all_is_stopped_when_a_process_does_not_start(tmp_path, platform_in):
    platform = Platform(settings_for(tmp_path / "home"), program=("/bin/false",))
    with pytest.raises(ProcessStartError, match="migrate ended with exit code 1"):
        await platform.start()
    assert platform.process_ids == {}
    async with platform_in(tmp_path / "home") as again:
        assert again.first_administrator is not None


async def test_all_is_stopped_when_the_start_is_cancelled(tmp_path, platform_in):
    platform = platform_in(tmp_path / "home")
    start = asyncio.create_task(platform.start())
    await asyncio.sleep(0.3)  # in the middle of making the database
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    async with platform_in(tmp_path / "home") as again:
        assert await ask(again) > 0


async def test_configured_password_is_not_repeated_when_the_first_administrator_is_made(tmp_path, platform_in):
    configured = {"admin_password": load_settings().bootstrap.admin_password or "a configured password"}
    async with platform_in(tmp_path / "home", bootstrap=configured) as platform:
        assert platform.first_administrator.password is None
    assert not (tmp_path / "home" / "admin-password").exists()


async def test_tcp_port_is_checked_when_postgres_shall_listen(tmp_path, platform_in):
    port = free_port("127.0.0.1")
    async with platform_in(tmp_path / "first", embedded={"postgres_port": port}):
        second = platform_in(tmp_path / "second", embedded={"postgres_port": port})
        with pytest.raises(PortInUseError, match="DATAMATE_EMBEDDED__POSTGRES_PORT"):
            await second.start()


async def test_stranger_does_not_pass_for_the_server_when_it_takes_the_port_meanwhile(tmp_path, platform_in):
    port = free_port("127.0.0.1")
    platform = platform_in(tmp_path / "home", gateway={"port": port})
    start = asyncio.create_task(platform.start())
    await asyncio.sleep(0.2)  # the port was checked; the database is being made
    server = await asyncio.start_server(_answer_ok, "127.0.0.1", port)
    async with server:
        with pytest.raises(ProcessStartError, match=r"server ended with exit code 1(.|\n)*address already in use"):
            await start


async def _answer_ok(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    writer.close()


@pytest.fixture
def small_disk(tmp_path):
    """Return a folder on a disk of 8 MB; an empty database takes 40."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() != 0 or subprocess.call(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]) != 0:
        pytest.skip("this user may not mount a small disk")
    yield folder
    subprocess.check_call(["umount", str(folder)])


async def test_start_ends_with_one_clear_message_when_the_disk_is_full(small_disk, platform_in):
    with pytest.raises(DatamateError, match=r"(?i)no space left"):
        await platform_in(small_disk / "home").start()
    assert not (small_disk / "home/postgres/data").exists()
