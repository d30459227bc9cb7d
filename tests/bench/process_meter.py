"""Run a command as a whole process and measure it from outside: wall time, CPU time, peak memory of the tree."""

import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class Measurement:
    """What one run of a command took.

    Attributes:
        wall_seconds: From the start of the process to its end, interpreter start-up included.
        cpu_seconds: User and system time of the process and of the children it waited for.
        peak_bytes: Largest sum of proportional set sizes over the process tree, sampled every 50 ms.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int


def measure(command: Sequence[str | Path], *, log: Path, env: Mapping[str, str] | None = None) -> Measurement:
    """Run `command` to its end and return what it took.

    Raises:
        RuntimeError: The command failed; its output is in `log`.
    """
    peak = 0
    done = threading.Event()
    with log.open("ab") as output:
        before = time.perf_counter()
        process = psutil.Popen(
            [str(part) for part in command],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if env is None else {**env},
        )

        def sample() -> None:
            nonlocal peak
            while not done.wait(SAMPLE_SECONDS):
                peak = max(peak, tree_pss_bytes(process))

        sampler = threading.Thread(target=sample)
        sampler.start()
        cpu_before = children_cpu_seconds()
        status = process.wait()
        wall = time.perf_counter() - before
        done.set()
        sampler.join()
    if status != 0:
        raise RuntimeError(f"{command[0]} ended with status {status}; see {log}")
    return Measurement(wall, children_cpu_seconds() - cpu_before, peak)


def tree_pss_bytes(process: psutil.Process) -> int:
    """Return the proportional set size of a process and its descendants, 0 when it is gone."""
    total = 0
    try:
        members = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for member in members:
        try:
            total += member.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total


def children_cpu_seconds() -> float:
    """Return the CPU time of every child that this process has waited for."""
    times = psutil.Process().cpu_times()
    return times.children_user + times.children_system
