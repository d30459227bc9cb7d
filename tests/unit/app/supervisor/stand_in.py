"""Plays `datamate migrate`, `serve all` and `worker` for tests of the supervisor: small, but real processes."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from datamate.app.supervisor.readiness import tell_ready


async def migrate() -> None:
    connection = await asyncpg.connect(os.environ["DATAMATE_DATABASE__URL"])
    await connection.execute("CREATE TABLE IF NOT EXISTS seen (n int)")
    await connection.close()


async def serve() -> None:
    """Answer every request with the number of rows in PostgreSQL; made with Redis for its readiness."""
    await ping_redis(os.environ["DATAMATE_REDIS__URL"])
    password = Path(os.environ["DATAMATE_HOME"]) / "admin-password"
    if not password.exists() and "DATAMATE_BOOTSTRAP__ADMIN_PASSWORD" not in os.environ:
        password.touch(mode=0o600)
        password.write_text("random-password\n")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        try:
            connection = await asyncpg.connect(os.environ["DATAMATE_DATABASE__URL"])
            count = await connection.fetchval("INSERT INTO seen VALUES (1) RETURNING (SELECT count(*) FROM seen)")
            await connection.close()
            writer.write(f"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{count}".encode())
        except (OSError, asyncpg.PostgresError) as error:
            print("database:", error)
            writer.write(b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", int(os.environ["DATAMATE_GATEWAY__PORT"]))
    await stopped()
    server.close()


async def ping_redis(url: str) -> None:
    """Sign in and ping; redis-py itself needs a package that old patch levels of Python 3.11 do not have."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_unix_connection(parts.path)
    writer.write(f"AUTH {parts.password}\r\nPING\r\n".encode())
    assert [await reader.readline(), await reader.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
    writer.close()


async def work() -> None:
    tell_ready()
    await stopped()


async def stopped() -> None:
    event = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, event.set)
    await event.wait()


if __name__ == "__main__":
    asyncio.run({"migrate": migrate, "serve": serve, "worker": work}[sys.argv[1]]())
