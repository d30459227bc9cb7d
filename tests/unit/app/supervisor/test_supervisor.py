"""Processes are started in order, kept running, and ended for certain; checked with real ones."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from datamate.app.supervisor.errors import ProcessStartError
from datamate.app.supervisor.process import RunningProcess
from datamate.app.supervisor.spec import RestartPolicy
from datamate.app.supervisor.supervisor import Supervisor
from datamate.platform.embedded.process_lock import holders, try_lock

FAST = RestartPolicy(first_seconds=0.02, longest_seconds=0.1, healthy_seconds=60.0)
SLEEP = "time.sleep(60)"


async def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - processes do not set events
            await asyncio.sleep(0.01)


def exists(path: Path) -> Callable[[int], Awaitable[bool]]:
    async def probe(_: int) -> bool:
        return path.exists()  # noqa: ASYNC240 - as a probe does

    return probe


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


@pytest.fixture
def supervise(logs, recorder):
    @asynccontextmanager
    async def run(policy: RestartPolicy = FAST):
        supervisor = Supervisor(logs, recorder, log_max_bytes=1 << 16, policy=policy)
        try:
            yield supervisor
        finally:
            await supervisor.stop()

    return run


async def test_start_returns_when_all_processes_are_ready(supervise, make_spec, tmp_path, recorder):
    ready = tmp_path / "ready"
    late = make_spec("late", f"time.sleep(0.2); open({str(ready)!r}, 'w'); {SLEEP}", is_ready=exists(ready))
    async with supervise() as supervisor:
        await supervisor.start([late, make_spec("early", SLEEP)])
        assert ready.exists()
        assert [event for event in recorder.events if event[0] == "ready"] == [("ready", "early"), ("ready", "late")]


async def test_process_is_started_again_when_it_is_killed(supervise, make_spec, recorder):
    async with supervise() as supervisor:
        await supervisor.start([make_spec("mortal", SLEEP)])
        child = supervisor.children[0]
        first = child.pid
        os.kill(first, signal.SIGKILL)
        await until(lambda: child.pid not in {first, None})
        assert "mortal was killed by SIGKILL; starting it again in 0.0 s" in recorder.notes


async def test_restarts_go_on_ever_slower_when_a_process_keeps_dying(supervise, make_spec, recorder):
    async with supervise(replace(FAST, first_seconds=0.01, longest_seconds=0.04)) as supervisor:
        await supervisor.start([make_spec("sick", "sys.exit(3)")])
        await until(lambda: recorder.notes.count("ended with exit code 3") >= 7)
    assert "sick ended 5 times in a row. Trying goes on" in recorder.notes
    assert "sick.log" in recorder.notes


def test_wait_doubles_up_to_the_longest_when_deaths_follow_each_other():
    policy = RestartPolicy(first_seconds=0.1, longest_seconds=30.0)
    assert [policy.delay_seconds(n) for n in range(4)] == [0.1, 0.2, 0.4, 0.8]
    assert policy.delay_seconds(10_000) == 30.0


async def test_wait_is_short_again_when_the_process_was_healthy(supervise, make_spec, recorder):
    policy = RestartPolicy(first_seconds=0.02, longest_seconds=5.0, healthy_seconds=0.05)
    async with supervise(policy) as supervisor:
        await supervisor.start([make_spec("recovering", "time.sleep(0.15); sys.exit(1)")])
        await until(lambda: recorder.notes.count("starting it again") >= 5)
    assert recorder.notes.count("starting it again in 0.0 s") >= 5


async def test_start_fails_with_the_log_when_a_process_ends_at_once(supervise, make_spec):
    async with supervise() as supervisor:
        sick = make_spec("sick", "print('the disk is on fire'); sys.exit(7)", is_ready=exists(Path("/nonexistent")))
        with pytest.raises(ProcessStartError, match=r"sick ended with exit code 7(.|\n)*the disk is on fire"):
            await supervisor.start([sick, make_spec("other", SLEEP)])


async def test_start_fails_when_a_process_is_not_ready_in_time(supervise, make_spec):
    slow = make_spec("slow", SLEEP, is_ready=exists(Path("/nonexistent")), ready_seconds=0.2)
    async with supervise() as supervisor:
        with pytest.raises(ProcessStartError, match=r"slow is not ready after 0\.2 s"):
            await supervisor.start([slow])


async def test_start_fails_when_the_program_does_not_exist(supervise, make_spec):
    ghost = replace(make_spec("ghost", ""), argv=("/nonexistent/ghost",), is_ready=exists(Path("/nonexistent")))
    async with supervise() as supervisor:
        with pytest.raises(ProcessStartError, match="cannot run /nonexistent/ghost: No such file"):
            await supervisor.start([ghost])


async def test_run_waits_for_the_end_when_a_process_ends_by_itself(supervise, make_spec, tmp_path):
    async with supervise() as supervisor:
        await supervisor.run(make_spec("tool", f"time.sleep(0.1); open({str(tmp_path / 'done')!r}, 'w')"))
        assert (tmp_path / "done").exists()
        with pytest.raises(ProcessStartError, match="no such table"):
            await supervisor.run(make_spec("broken", "sys.exit('no such table')"))


async def test_stages_stop_in_reverse_order_when_the_supervisor_stops(supervise, make_spec, tmp_path):
    journal, names = tmp_path / "journal", ["engine", "server"]
    async with supervise() as supervisor:
        for name in names:
            ready = tmp_path / f"{name}.ready"
            script = f"""
def end(*_):
    with open({str(journal)!r}, "a") as file:
        print({name!r}, file=file)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
open({str(ready)!r}, "w")
{SLEEP}"""
            await supervisor.start([make_spec(name, script, is_ready=exists(ready))])
    assert journal.read_text().split() == ["server", "engine"]


async def test_process_is_killed_when_it_ignores_the_signal_to_stop(supervise, make_spec, tmp_path, recorder):
    ready = tmp_path / "ready"
    script = f"signal.signal(signal.SIGTERM, signal.SIG_IGN); open({str(ready)!r}, 'w'); {SLEEP}"
    async with supervise() as supervisor:
        await supervisor.start([make_spec("stubborn", script, is_ready=exists(ready), stop_seconds=0.2)])
        pid = supervisor.children[0].pid
        begun = time.monotonic()
    assert time.monotonic() - begun < 10
    assert not alive(pid)
    assert "stubborn does not end; ending it by SIGKILL" in recorder.notes


async def test_stop_does_not_wait_when_hurried(supervise, make_spec, tmp_path):
    ready = tmp_path / "ready"
    script = f"signal.signal(signal.SIGTERM, signal.SIG_IGN); open({str(ready)!r}, 'w'); {SLEEP}"
    async with supervise() as supervisor:
        await supervisor.start([make_spec("stubborn", script, is_ready=exists(ready), stop_seconds=60)])
        asyncio.get_running_loop().call_later(0.1, supervisor.hurry.set)
        begun = time.monotonic()
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
async def test_descendants_end_when_their_process_ends(supervise, make_spec, tmp_path, ending):
    pid_file = tmp_path / "grandchild"
    script = f"""
child = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)"])
path = pathlib.Path({str(pid_file)!r})
path.with_suffix(".tmp").write_text(str(child.pid))
path.with_suffix(".tmp").rename(path)
{SLEEP}"""
    async with supervise() as supervisor:
        await supervisor.start([make_spec("parent", script, is_ready=exists(pid_file))])
        grandchild = int(pid_file.read_text())
        assert alive(grandchild)
        os.kill(supervisor.children[0].pid, ending)
        await until(lambda: not alive(grandchild))


async def test_leftover_is_ended_when_its_supervisor_was_killed(supervise, make_spec, recorder, monkeypatch):
    monkeypatch.setattr("datamate.app.supervisor.child._LEFTOVER_SECONDS", 0.1)
    spec = make_spec("server", SLEEP)
    lock = try_lock(spec.lock)
    leftover = RunningProcess(replace(spec, argv=("/bin/sleep", "60")), lock=lock, output=2)
    os.close(lock)
    async with supervise() as supervisor:
        await supervisor.start([spec])
        assert f"waiting for leftovers of an earlier start (process ids: {leftover.pid}) to end" in recorder.notes
        assert await leftover.wait() == -signal.SIGKILL
        assert list(holders(spec.lock)) == [supervisor.children[0].pid]


async def test_output_is_in_the_log_when_a_process_prints(supervise, make_spec, logs):
    script = "print('out'); sys.stdout.flush(); print('err', file=sys.stderr); sys.exit(0)"
    async with supervise() as supervisor:
        await supervisor.run(make_spec("talker", script))
    assert (logs / "talker.log").read_text() == "out\nerr\n"


async def test_process_reads_its_input_when_it_has_one(supervise, make_spec, logs):
    async with supervise() as supervisor:
        await supervisor.run(make_spec("reader", "print(sys.stdin.read())", stdin="secret configuration"))
    assert (logs / "reader.log").read_text() == "secret configuration\n"


async def test_prepare_runs_before_every_start_when_a_process_has_one(supervise, make_spec):
    calls = []

    async def prepare(lock: int) -> None:
        calls.append(os.fstat(lock).st_ino)

    async with supervise() as supervisor:
        await supervisor.start([make_spec("prepared", SLEEP, prepare=prepare)])
        os.kill(supervisor.children[0].pid, signal.SIGKILL)
        await until(lambda: len(calls) == 2)


async def test_restart_is_tried_again_when_the_preparation_fails(supervise, make_spec, recorder):
    calls = []

    async def prepare(lock: int) -> None:
        calls.append(lock)
        if len(calls) in {2, 3}:
            raise ProcessStartError("the folder is gone")

    async with supervise() as supervisor:
        await supervisor.start([make_spec("prepared", SLEEP, prepare=prepare)])
        os.kill(supervisor.children[0].pid, signal.SIGKILL)
        await until(lambda: "prepared is back" in recorder.notes)
    assert recorder.notes.count("prepared could not be started: the folder is gone") == 2
