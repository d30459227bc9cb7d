"""Background loops: they outlive failures, wake early, and end at once when told to."""

import asyncio
import time

import pytest

from datamate.core.errors import UnavailableError
from datamate.platform import background
from datamate.platform.background import repeat
from datamate.platform.backoff import full_jitter_seconds


@pytest.mark.parametrize("error", [UnavailableError(), ValueError("a mistake")])
async def test_loop_goes_on_when_a_step_fails(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_BASE_SECONDS", 0.001)
    stop = asyncio.Event()
    steps: list[int] = []

    async def step() -> float:
        steps.append(len(steps))
        if len(steps) < 4:
            raise error
        stop.set()
        return 0.0

    await asyncio.wait_for(repeat(step, name="test", stop=stop), 5)
    assert len(steps) == 4


async def test_loop_ends_at_once_when_stopped_during_a_pause() -> None:
    stop = asyncio.Event()

    async def step() -> float:
        asyncio.get_running_loop().call_later(0.02, stop.set)
        return 60.0

    await asyncio.wait_for(repeat(step, name="test", stop=stop), 5)


async def test_no_wake_up_is_lost_when_it_comes_during_a_step() -> None:
    stop, wake = asyncio.Event(), asyncio.Event()
    steps: list[float] = []

    async def step() -> float:
        steps.append(time.monotonic())
        if len(steps) == 1:
            wake.set()
        else:
            stop.set()
        return 60.0

    await asyncio.wait_for(repeat(step, name="test", stop=stop, wake=wake), 5)
    assert len(steps) == 2


@pytest.mark.parametrize(("attempt", "longest"), [(1, 0.5), (2, 1.0), (4, 4.0), (20, 10.0), (10_000, 10.0)])
def test_pauses_spread_up_to_a_doubling_limit_when_attempts_fail(attempt: int, longest: float) -> None:
    waits = [full_jitter_seconds(attempt, base_seconds=0.5, cap_seconds=10.0) for _ in range(200)]
    assert 0 <= min(waits) < longest * 0.2
    assert longest * 0.8 < max(waits) <= longest
