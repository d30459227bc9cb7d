"""Background loops end with the process, and the process with a loop that fails."""

import asyncio

import pytest

from datamate.app.loops import running_loops


class Patient:
    def __init__(self):
        self.ended = False

    async def run(self, stop):
        try:
            await stop.wait()
        finally:
            self.ended = True


class Faulty:
    async def run(self, stop):
        raise ValueError("a fault")


async def test_loops_end_when_the_block_ends():
    loops = [Patient(), Patient()]
    async with running_loops(loops):
        await asyncio.sleep(0)
        assert not any(loop.ended for loop in loops)
    assert all(loop.ended for loop in loops)


async def test_block_is_cut_and_the_error_raised_when_a_loop_fails():
    with pytest.raises(ValueError, match="a fault"):
        async with asyncio.timeout(5), running_loops([Patient(), Faulty()]):
            await asyncio.sleep(60)


async def test_loops_end_and_the_error_is_raised_when_the_block_fails():
    loop = Patient()
    with pytest.raises(KeyError):  # noqa: PT012 - the block is what fails
        async with running_loops([loop]):
            await asyncio.sleep(0)
            raise KeyError
    assert loop.ended
