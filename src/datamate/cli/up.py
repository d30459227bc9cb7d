"""`datamate up`: the whole platform on this machine, until Ctrl-C."""

import asyncio
import json
import sys
import time

import click

from datamate import __version__
from datamate.app.supervisor.platform import Platform
from datamate.app.supervisor.run import run_until_signalled
from datamate.cli.examples import examples
from datamate.cli.output import json_option
from datamate.cli.process import EXIT_INTERRUPTED
from datamate.config.root import load_settings

_REDRAW_SECONDS = 0.2
_NAME_WIDTH = 12


class StartDisplay:
    """Shows what is being started and for how long: a line that ticks on a terminal, plain lines elsewhere."""

    def __init__(self, *, to_stderr: bool) -> None:
        """Show it on stdout, or on stderr when stdout is for a program."""
        self._to_stderr = to_stderr
        self._ticks = (sys.stderr if to_stderr else sys.stdout).isatty()
        self._under_way: dict[str, tuple[str, float]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def starting(self, name: str, what: str) -> None:
        """Show that a process is being started."""
        self._under_way[name] = (what, time.monotonic())
        if not self._ticks:
            self.line(f"  {name:<{_NAME_WIDTH}}{what}")
        elif self._timer is None:
            self._tick()

    def ready(self, name: str, seconds: float) -> None:
        """Show that a process is ready."""
        self._under_way.pop(name, None)
        self.line(f"  {name:<{_NAME_WIDTH}}ready after {seconds:.1f} s")

    def finished(self, name: str, seconds: float) -> None:
        """Show that a process did its work."""
        self._under_way.pop(name, None)
        self.line(f"  {name:<{_NAME_WIDTH}}done after {seconds:.1f} s")

    def note(self, text: str) -> None:
        """Show a message."""
        self.line(f"  {text}")

    def line(self, text: str) -> None:
        """Show a line of its own."""
        self._echo(f"\r\033[K{text}\n" if self._ticks else f"{text}\n")

    def close(self) -> None:
        """Show nothing more of what was under way."""
        self._under_way.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._echo("\r\033[K")

    def _tick(self) -> None:
        self._timer = None
        if self._under_way:
            now = time.monotonic()
            parts = [f"{name} {what} {now - begun:.1f} s" for name, (what, begun) in self._under_way.items()]
            self._echo(f"\r\033[K  {', '.join(parts)}")
            self._timer = asyncio.get_running_loop().call_later(_REDRAW_SECONDS, self._tick)

    def _echo(self, text: str) -> None:
        try:
            click.echo(text, nl=False, err=self._to_stderr)
        except OSError:
            self._ticks = False  # the terminal was closed; the platform stops cleanly all the same


@click.command("up", epilog=examples("datamate up", "DATAMATE_GATEWAY__PORT=9000 datamate up"))
@json_option
def command(*, as_json: bool) -> int:
    """Start the whole platform on this machine, until Ctrl-C.

    PostgreSQL, Redis, the server and the workers run as processes of this command; what dies is started again. All
    data is in DATAMATE_HOME. The first start makes an administrator and shows its password once.
    """
    settings = load_settings()
    display = StartDisplay(to_stderr=as_json)
    platform = Platform(settings, reporter=display)
    display.line(f"DataMate {__version__} in {platform.home.path}")
    begun = time.monotonic()

    def show_ready() -> None:
        display.close()
        if as_json:
            _print_json(platform)
        else:
            _print_words(platform, display, time.monotonic() - begun)

    def show_stop() -> None:
        display.close()
        display.line("Stopping; once more to stop at once.")

    try:
        was_ready = asyncio.run(run_until_signalled(platform, on_ready=show_ready, on_stop=show_stop))
    finally:
        display.close()
    return 0 if was_ready else EXIT_INTERRUPTED


def _print_words(platform: Platform, display: StartDisplay, seconds: float) -> None:
    administrator = platform.first_administrator
    display.line(f"\nReady after {seconds:.1f} s.")
    display.line(f"  Open       {platform.url}")
    display.line(f"  API        {platform.url}/docs")
    display.line(f"  Logs       {platform.home.logs}")
    if administrator is not None:
        password = administrator.password or "the one in DATAMATE_BOOTSTRAP__ADMIN_PASSWORD"
        display.line(f"  Sign in    {administrator.username}, password {password}")
        if administrator.password is not None:
            display.line(f"             (shown once; also in {platform.home.admin_password})")
    display.line("Ctrl-C stops it.")


def _print_json(platform: Platform) -> None:
    """Print where to go as one line, for programs that start a platform."""
    administrator = platform.first_administrator
    document = {
        "url": platform.url,
        "home": str(platform.home.path),
        "process_ids": platform.process_ids,
        "first_administrator": None
        if administrator is None
        else {"username": administrator.username, "password": administrator.password},
    }
    click.echo(json.dumps(document))
    sys.stdout.flush()
