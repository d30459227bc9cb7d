"""Run a command as a whole process and measure it from outside: wall time, CPU time, peak memory of the tree."""

import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import psutil

SAMPLE_SECONDS = 0.05

Command = Sequence[str | Path]


@dataclass(frozen=True)
class Measurement:
    """What one run of a command took.

    Attributes:
        wall_seconds: From the start of the process to its end, interpreter start-up included.
        cpu_seconds: User and system time of the process and of the children it waited for.
    """

    wall_seconds: float
    cpu_seconds: float


def measure(command: Command, *, log: Path, env: Mapping[str, str] | None = None) -> Measurement:
    """Run `command` to its end and return what it took; nothing else runs meanwhile.

    Raises:
        RuntimeError: The command failed; its output is in `log`.
    """
    cpu, started = children_cpu_seconds(), time.perf_counter()
    with log.open("ab") as output:
        process = _start(command, output, env)
        status = process.wait()
    wall = time.perf_counter() - started
    _check(command, status, log)
    return Measurement(wall, children_cpu_seconds() - cpu)


def peak_memory(command: Command, *, log: Path, env: Mapping[str, str] | None = None) -> int:
    """Run `command` to its end and return the most bytes that it and its descendants held, sampled every 50 ms.

    Reading the sizes slows the processes down, so this is never done in a run that is timed.

    Raises:
        RuntimeError: The command failed; its output is in `log`.
    """
    peak = 0
    with log.open("ab") as output:
        process = _start(command, output, env)
        while process.poll() is None:
            peak = max(peak, tree_pss_bytes(process))
            time.sleep(SAMPLE_SECONDS)
    _check(command, process.returncode, log)
    return peak


def _start(command: Command, output: BinaryIO, env: Mapping[str, str] | None) -> psutil.Popen:
    words = [str(part) for part in command]
    return psutil.Popen(words, stdout=output, stderr=subprocess.STDOUT, env=None if env is None else {**env})


def _check(command: Command, status: int, log: Path) -> None:
    if status != 0:
        raise RuntimeError(f"{command[0]} ended with status {status}; see {log}")


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
