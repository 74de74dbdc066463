"""Ending tasks for certain: a task that is told once to end may go on, and whoever waits for it would wait for ever.

What fails while a task is cancelled takes the place of the cancellation: closing a broken connection raises an error of
its own, and whoever catches that and goes on has never heard of the cancellation. Two halves keep it from being lost:

* who catches whatever fails and goes on calls `raise_if_cancelled` first;
* who ends tasks does it by `end`, which does not leave it at telling them once.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

CANCEL_AGAIN_S: Final = 2.0
"""Longer than what is tidied up at the end of a task takes, mostly: that is cut off by being cancelled again."""


def raise_if_cancelled() -> None:
    """Raise the cancellation of this task that another failure has taken the place of.

    Not for what a `TaskGroup` of the same task raises: before Python 3.13 its cancelling of the task stays counted.

    Raises:
        asyncio.CancelledError: the task was cancelled, and goes on.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until all of them have ended, however; what goes on is cancelled again."""
    going = set(tasks)
    while going:
        for task in going:
            task.cancel()
        _, going = await asyncio.wait(going, timeout=CANCEL_AGAIN_S)
