"""The embedded PostgreSQL: made whole or not at all, closed to others, back after every kind of death."""

import asyncio
import os
import signal
import stat
from pathlib import Path

import asyncpg
import pytest

from datamate.platform.embedded.errors import EngineFolderError
from datamate.platform.embedded.postgres import PostgresServer
from datamate.platform.embedded.process_lock import holders, take_over, try_lock


async def fetch(server: PostgresServer, query: str) -> object:
    connection = await asyncpg.connect(server.url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def process_file(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text()


async def test_server_answers_as_the_plain_role_when_started_on_a_new_folder(postgres, start):
    async with start(postgres):
        assert await fetch(postgres, "SELECT current_user::text") == "datamate"
        assert await fetch(postgres, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
        assert await fetch(postgres, "SHOW data_checksums") == "on"
        assert await fetch(postgres, "SHOW listen_addresses") == ""
        assert await fetch(postgres, "SELECT upper('äя')") == "ÄЯ"
        assert await fetch(postgres, "SELECT 'B' < 'a'") is True
        await fetch(postgres, "CREATE EXTENSION pg_trgm")


async def test_password_is_demanded_when_it_is_wrong_or_absent(postgres, start):
    async with start(postgres):
        wrong = postgres.url.replace(postgres.url.split("@")[0].rsplit(":", 1)[1], "wrong")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(wrong)


async def test_files_are_closed_to_other_users_when_the_server_runs(postgres, start, home):
    async with start(postgres):
        for path in (postgres.data, postgres.socket.parent, home / "secrets"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700
        for secret in (home / "secrets").iterdir():
            assert stat.S_IMODE(secret.stat().st_mode) == 0o600
        assert stat.S_IMODE(postgres.socket.stat().st_mode) == 0o700
        command = " ".join(postgres.command().argv)
        assert postgres.url.split(":")[2].split("@")[0] not in command


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes accounts")
async def test_server_runs_without_rights_when_started_by_root(postgres, start):
    async with start(postgres) as process:
        status = process_file(process.pid, "status")
        assert postgres.data.stat().st_uid != 0
        assert f"Uid:\t{postgres.data.stat().st_uid}\t" in status
        assert "CapEff:\t0000000000000000" in status


async def test_committed_rows_are_there_when_the_server_was_killed(postgres, start):
    async with start(postgres) as process:
        await fetch(postgres, "CREATE TABLE kept AS SELECT 1 AS n")
        os.kill(process.pid, signal.SIGKILL)
    async with start(postgres):
        assert await fetch(postgres, "SELECT n FROM kept") == 1


async def test_leftover_backend_is_ended_when_its_postmaster_was_killed(postgres, start):
    async with start(postgres) as process:
        connection = await asyncpg.connect(postgres.url)
        backend = await connection.fetchval("SELECT pg_backend_pid()")
        os.kill(backend, signal.SIGSTOP)  # a backend that is stuck does not notice that its postmaster is gone
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        assert backend in holders(postgres.lock)
        assert try_lock(postgres.lock) is None
    async with start(postgres):
        assert await fetch(postgres, "SELECT 1") == 1
        assert backend not in holders(postgres.lock)
    connection.terminate()


async def test_pid_file_is_not_believed_when_the_number_belongs_to_another_process(postgres, start):
    async with start(postgres) as process:
        os.kill(process.pid, signal.SIGKILL)
    pid_file = postgres.data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getppid()), *lines[1:]]))
    async with start(postgres):
        assert await fetch(postgres, "SELECT 1") == 1


async def test_half_made_folder_is_made_again_when_the_set_up_was_interrupted(postgres, start):
    postgres.make_folder()
    half_made = postgres.data.with_name("data.tmp")
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")
    async with start(postgres):
        assert await fetch(postgres, "SELECT 1") == 1
    assert not half_made.exists()


async def test_nothing_is_left_running_when_the_set_up_is_cancelled(postgres):
    postgres.make_folder()
    lock = await take_over(postgres.lock, patience_seconds=0, on_leftover=lambda _: None)
    set_up = asyncio.create_task(postgres.prepare(lock))
    await asyncio.sleep(0.15)
    set_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await set_up
    os.close(lock)
    # The kernel lets go of the lock when it has buried the last process, which takes a moment on a busy machine.
    lock = await take_over(postgres.lock, patience_seconds=10, on_leftover=lambda _: None)
    assert lock is not None
    os.close(lock)
    assert postgres.is_new


async def test_new_passwords_are_set_when_the_secrets_were_lost(postgres, start, home):
    async with start(postgres):
        await fetch(postgres, "CREATE TABLE kept AS SELECT 1 AS n")
        old = postgres.url
    for secret in (home / "secrets").iterdir():
        secret.unlink()
    again = PostgresServer(home, secrets=home / "secrets")
    async with start(again):
        assert again.url != old
        assert await fetch(again, "SELECT n FROM kept") == 1


async def test_start_is_refused_when_the_folder_was_made_by_another_version(postgres):
    postgres.make_folder()
    postgres.data.mkdir()
    (postgres.data / "PG_VERSION").write_text("15\n")
    with pytest.raises(EngineFolderError, match=r"PostgreSQL 15.*pg_dump"):
        await postgres.prepare(0)
    (postgres.data / "PG_VERSION").unlink()
    with pytest.raises(EngineFolderError, match="no PostgreSQL data folder"):
        await postgres.prepare(0)


async def test_loopback_answers_when_a_tcp_port_is_configured(home, start, unused_tcp_port):
    server = PostgresServer(home, secrets=home / "secrets", tcp_port=unused_tcp_port)
    async with start(server):
        assert await fetch(server, "SELECT 1") == 1
        password = server.url.split(":")[2].split("@")[0]
        over_tcp = f"postgresql://datamate:{password}@127.0.0.1:{unused_tcp_port}/datamate"
        connection = await asyncpg.connect(over_tcp, ssl=False)
        await connection.close()
