"""A cancellation is never lost, whatever fails at the moment it comes."""

import asyncio

import pytest

from emulation_saas.kernel import cancelling
from emulation_saas.kernel.cancelling import end, raise_if_cancelled


async def failing_when_cancelled() -> None:
    try:
        await asyncio.Event().wait()
    finally:
        raise ConnectionResetError


async def test_failure_that_took_the_place_of_a_cancellation_gives_way_to_it() -> None:
    async def catching() -> None:
        try:
            await failing_when_cancelled()
        except ConnectionResetError:
            raise_if_cancelled()

    task = asyncio.create_task(catching())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_failure_of_a_task_that_nobody_cancelled_is_only_a_failure() -> None:
    raise_if_cancelled()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await asyncio.Event().wait()
    raise_if_cancelled()


async def test_task_that_goes_on_is_cancelled_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cancelling, "CANCEL_AGAIN_S", 0.02)
    heard: list[int] = []

    async def deaf() -> None:
        while len(heard) < 3:
            try:
                await failing_when_cancelled()
            except ConnectionResetError:
                heard.append(1)

    tasks = [asyncio.create_task(deaf()), asyncio.create_task(asyncio.sleep(0))]
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await end(tasks)
    assert len(heard) == 3
