"""The event loop that ordinary code calls."""

import asyncio
import signal
import threading
import time

import pytest

from datamate.sdk.loop_thread import ClientClosedError, LoopThread


async def nothing() -> None:
    """Do no last work."""


@pytest.fixture
def loop():
    loop = LoopThread()
    yield loop
    loop.close(nothing())


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


async def fail() -> None:
    raise ValueError("no")


def test_result_comes_back_when_coroutine_returns(loop):
    assert loop.run(double(21)) == 42


def test_error_comes_back_when_coroutine_raises(loop):
    with pytest.raises(ValueError, match="no"):
        loop.run(fail())


def test_results_come_back_when_several_threads_call(loop):
    results = []
    threads = [threading.Thread(target=lambda n=n: results.append(loop.run(double(n)))) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [2 * number for number in range(20)]


def test_generator_is_closed_when_iteration_is_abandoned(loop):
    closed = []

    async def count():
        try:
            for number in range(1000):
                yield number
        finally:
            closed.append(True)

    iterator = loop.iterate(count())
    assert [next(iterator), next(iterator)] == [0, 1]
    iterator.close()
    assert closed == [True]


def test_work_is_cleaned_up_when_interrupted(loop):
    cleaned = []

    async def hang() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            cleaned.append(True)

    timer = threading.Timer(0.2, signal.pthread_kill, [threading.main_thread().ident, signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        loop.run(hang())
    assert cleaned == [True]


def test_running_work_is_cancelled_when_closed():
    loop = LoopThread()
    ended = []

    async def hang() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    def call() -> None:
        with pytest.raises(ClientClosedError):
            loop.run(hang())

    thread = threading.Thread(target=call)
    thread.start()
    time.sleep(0.1)
    loop.close(nothing())
    thread.join(5)
    assert ended == [True]


def test_call_is_refused_when_closed():
    loop = LoopThread()
    loop.close(nothing())
    loop.close(nothing())
    with pytest.raises(ClientClosedError):
        loop.run(double(1))
