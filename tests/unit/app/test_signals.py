"""A server process ends in order at the first signal, and at once at the second."""

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import asyncio
from datamate.app.signals import run_until_signalled

async def work(stop):
    print("ready", flush=True)
    await stop.wait()
    print("stopping", flush=True)
    {ending}
    print("ended", flush=True)

try:
    run_until_signalled(work)
except KeyboardInterrupt:
    print("cut", flush=True)
"""


def start(ending):
    process = subprocess.Popen([sys.executable, "-c", PROGRAM.format(ending=ending)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_work_ends_in_order_when_a_signal_comes(number):
    with start("await asyncio.sleep(0.01)") as process:
        process.send_signal(number)
        assert process.stdout.read() == "stopping\nended\n"
        assert process.wait(10) == 0


def test_work_is_cut_when_a_second_signal_comes():
    with start("await asyncio.sleep(60)") as process:
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "stopping\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "cut\n"
        assert process.wait(10) == 0
