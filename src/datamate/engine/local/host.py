"""The process that workers are forked from: it imports everything once, and starts no thread that computes.

Polars must not be forked after it has started its thread pool, which importing it does not do. So a worker costs a
millisecond to start, and shares the memory of all imported code with the others.

Processes die together: the host sees the end of its socket when the coordinator is gone, however it went, and the
kernel kills the workers when the host is gone.
"""

import ctypes
import gc
import os
import select
import signal
import socket
import struct
from typing import NoReturn

from datamate.engine.local.launch import CONTROL_DESCRIPTOR

NEW_WORKER = b"+"
PREPARE = b"prepare "
EXIT_REPORT = struct.Struct("=qq")
"""Process id and wait status of a worker that ended, from host to coordinator."""

_PR_SET_PDEATHSIG = 1
_MESSAGE_BYTES = 1 << 16

# One thread each: the cores are shared out by running as many workers.
_ENVIRONMENT = {
    "POLARS_MAX_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # jemalloc's own threads would not survive the fork.
    "_RJEM_MALLOC_CONF": "background_thread:false",
}


def main() -> NoReturn:
    """Import, then fork a worker for each descriptor that arrives, until the coordinator is gone."""
    # Ctrl-C reaches every process of the terminal; what to do about it is the coordinator's decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(_ENVIRONMENT)
    control = socket.socket(fileno=CONTROL_DESCRIPTOR)
    # Only now, after the environment is set; this is what makes forking worth while.
    from datamate.engine.local.worker import import_operators, work

    workers: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([CONTROL_DESCRIPTOR, *workers], [], [])
        for descriptor in ready:
            if descriptor != CONTROL_DESCRIPTOR:
                _report_exit(control, workers.pop(descriptor), descriptor)
                continue
            message, connections, _, _ = socket.recv_fds(control, _MESSAGE_BYTES, 1)
            if not message:
                _end(workers)
            elif message.startswith(PREPARE):
                import_operators(message.removeprefix(PREPARE).decode().split())
            else:
                gc.freeze()
                pid = os.fork()
                if pid == 0:
                    _become_worker(control, workers)
                    work(socket.socket(fileno=connections[0]))
                os.close(connections[0])
                workers[os.pidfd_open(pid)] = pid


def _end(workers: dict[int, int]) -> NoReturn:
    for pid in workers.values():
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    os._exit(0)


def _become_worker(control: socket.socket, workers: dict[int, int]) -> None:
    host = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != host:
        # The host died before the kernel was told.
        os._exit(1)
    control.close()
    for descriptor in workers:
        os.close(descriptor)


def _report_exit(control: socket.socket, pid: int, descriptor: int) -> None:
    _, status = os.waitpid(pid, 0)
    os.close(descriptor)
    try:
        control.sendall(EXIT_REPORT.pack(pid, status))
    except OSError:
        os._exit(0)
