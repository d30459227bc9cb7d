"""The embedded Redis of one installation: its folder, its configuration, its address and whether it answers."""

import asyncio
import signal
from pathlib import Path
from urllib.parse import quote

from datamate.platform.embedded.account import account_for
from datamate.platform.embedded.binaries import redis_program
from datamate.platform.embedded.command import EngineCommand
from datamate.platform.embedded.folders import private_folder, socket_folder
from datamate.platform.embedded.secret_file import keep_secret

_SOCKET_NAME = "redis.sock"
_MAX_MEMORY = "512mb"


class RedisServer:
    """The Redis server in `home`/redis; starting and watching its process is the supervisor's part."""

    def __init__(self, home: Path, *, secrets: Path) -> None:
        """Describe a server; nothing is touched before `prepare`.

        Args:
            home: The installation's folder.
            secrets: The folder of generated passwords; only its owner may enter it.
        """
        self._home = home
        self._secrets = secrets
        self._folder = home / "redis"

    @property
    def data(self) -> Path:
        """The folder of its append-only file."""
        return self._folder / "data"

    @property
    def lock(self) -> Path:
        """The lock file that the server's processes hold: a second server would take over the socket unasked."""
        return self._folder / "lock"

    @property
    def socket(self) -> Path:
        """The Unix socket, in a folder that only the server's account may enter."""
        return socket_folder(self._home, "redis", account_for(self.data), socket_name=_SOCKET_NAME) / _SOCKET_NAME

    @property
    def url(self) -> str:
        """The address for redis-py, password included."""
        return f"unix://:{self._password}@{quote(str(self.socket))}?db=0"

    @property
    def _password(self) -> str:
        return keep_secret(self._secrets / "redis")

    def make_folder(self) -> None:
        """Make the folder of the data folder and of the lock."""
        self._folder.mkdir(mode=0o700 if account_for(self.data) is None else 0o711, exist_ok=True)

    async def prepare(self, lock: int) -> None:  # noqa: ARG002 - proof that no earlier process of this server is alive
        """Make the data folder if it is missing; before every start."""
        private_folder(self.data, account_for(self.data))

    def command(self) -> EngineCommand:
        """Return how to start the server; its log goes to standard output."""
        account = account_for(self.data)
        configuration = (
            "port 0",
            f'unixsocket "{self.socket}"',
            "unixsocketperm 700",
            f"requirepass {self._password}",
            "appendonly yes",
            "appendfsync everysec",
            'save ""',  # the append-only file already has everything
            f"maxmemory {_MAX_MEMORY}",
            "maxmemory-policy noeviction",
            "daemonize no",
            'logfile ""',
        )
        return EngineCommand(
            # The configuration comes on standard input, so that the password is in no argument and no file.
            argv=(str(redis_program(account)), "-"),
            folder=self.data,
            account=account,
            stdin="".join(f"{line}\n" for line in configuration),
            stop_signal=signal.SIGTERM,
        )

    async def is_ready(self) -> bool:
        """Tell whether the server answers a PING now, its data loaded."""
        try:
            reader, writer = await asyncio.open_unix_connection(self.socket)
        except OSError:
            return False
        try:
            writer.write(f"AUTH {self._password}\r\nPING\r\n".encode())
            replies = [await reader.readline() for _ in range(2)]
        except OSError:
            return False
        finally:
            writer.close()
        return replies == [b"+OK\r\n", b"+PONG\r\n"]
