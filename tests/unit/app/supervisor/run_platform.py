"""Runs a platform of stand-ins as a process of its own, so that a test can kill it; prints what it started."""

import asyncio
import json
import sys
from pathlib import Path

from datamate.app.supervisor.platform import Platform
from datamate.app.supervisor.run import run_until_signalled
from datamate.config.root import load_settings

STAND_IN = str(Path(__file__).with_name("stand_in.py"))


class Stderr:
    def starting(self, name: str, what: str) -> None:
        self.note(f"{name} {what}")

    def ready(self, name: str, seconds: float) -> None:
        self.note(f"{name} ready {seconds:.2f}")

    def finished(self, name: str, seconds: float) -> None:
        self.note(f"{name} finished {seconds:.2f}")

    def note(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


def main() -> None:
    platform = Platform(load_settings(), reporter=Stderr(), program=(sys.executable, STAND_IN))

    def show() -> None:
        print(json.dumps({"url": platform.url, "process_ids": platform.process_ids}), flush=True)

    asyncio.run(run_until_signalled(platform, on_ready=show, on_stop=lambda: None))


if __name__ == "__main__":
    main()
