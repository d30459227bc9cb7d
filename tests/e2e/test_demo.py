"""`datamate demo`: on a running platform, and with one of its own."""

import json
import os
import signal
import stat
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from e2e.topologies import DATAMATE

DEMO_SECONDS = 100


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    """A temporary folder of the demo's own, to see what is left there."""
    temporary = tmp_path / "t"
    temporary.mkdir()
    tmp_path.chmod(0o755)
    temporary.chmod(0o777)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)  # the engines run under an account of their own when the tests run as root
    return {**os.environ, "TMPDIR": str(temporary), "XDG_CONFIG_HOME": str(tmp_path / "config")}


def check_account(document: dict[str, object]) -> None:
    counts = {name: int(document[name]) for name in ("rows_in", "kept", "dropped", "quarantined")}
    assert counts["rows_in"] == counts["kept"] + counts["dropped"] + counts["quarantined"]
    assert counts["rows_in"] > 4_000
    assert sum(document["dropped_by"].values()) == counts["dropped"]
    assert {row["code"] for row in document["quarantine"]} >= {"bad_json", "invalid_utf8", "null_text"}
    assert len(document["quarantine"]) == counts["quarantined"] == 7
    assert document["lineage"]["edges"][0]["run_id"] == document["run_id"]
    assert document["changed"]


def processes_of(folder: Path) -> list[str]:
    """The command lines of processes that know a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in text and process.name != str(os.getpid()):
            found.append((process / "cmdline").read_text().replace("\0", " "))
    return found


def holds_password(path: Path) -> bool:
    """Tell whether a file is one of those that show the administrator's password."""
    return path.name in {"admin-password", "up.json"}


def test_account_is_complete_when_platform_is_running(site, environment):
    arguments = ["demo", "--url", site.url, "--username", site.username, "--password-stdin", "--json"]
    done = subprocess.run(
        [*DATAMATE, *arguments],
        input=site.password,
        env=environment,
        capture_output=True,
        text=True,
        timeout=DEMO_SECONDS,
        check=True,
    )
    check_account(json.loads(done.stdout))


def test_nothing_is_left_when_demo_ends(environment):
    done = subprocess.run(
        [*DATAMATE, "demo"], env=environment, capture_output=True, text=True, timeout=DEMO_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "none is missing" in done.stdout
    assert "Try next:" in done.stdout
    assert list(Path(environment["TMPDIR"]).iterdir()) == []
    assert processes_of(Path(environment["TMPDIR"])) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_nothing_is_left_when_demo_is_ended(environment, number, code):
    temporary = Path(environment["TMPDIR"])
    process = subprocess.Popen([*DATAMATE, "demo"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    give_up_at = time.monotonic() + 60
    while not list(temporary.glob("datamate-demo-*/home/run/*")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < give_up_at
        time.sleep(0.05)
    process.send_signal(number)
    _, errors = process.communicate(timeout=90)
    assert process.returncode == code, errors
    assert b"Traceback" not in errors
    assert list(temporary.iterdir()) == []
    assert processes_of(temporary) == []


def test_platform_runs_on_when_it_is_kept(environment):
    temporary = Path(environment["TMPDIR"])
    done = subprocess.run(
        [*DATAMATE, "demo", "--keep", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=DEMO_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stderr.splitlines() if line.strip().startswith("Stop")]
    try:
        document = json.loads(done.stdout)
        check_account(document)
        with urllib.request.urlopen(f"{document['url']}/health/ready", timeout=5) as answer:
            assert answer.status == 200
        for path in temporary.rglob("*"):
            assert not holds_password(path) or stat.S_IMODE(path.stat().st_mode) == 0o600, path
    finally:
        os.kill(int(line.split()[-1]), signal.SIGTERM)
    give_up_at = time.monotonic() + 60
    while processes_of(temporary):
        assert time.monotonic() < give_up_at, processes_of(temporary)
        time.sleep(0.1)


def test_usage_is_named_when_options_do_not_fit():
    for arguments in (["--username", "x"], ["--url", "http://x", "--keep"], ["--url", "http://x", "--password-stdin"]):
        done = subprocess.run([*DATAMATE, "demo", *arguments], capture_output=True, timeout=30, check=False)
        assert done.returncode == 2, done.stderr
