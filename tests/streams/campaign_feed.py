"""The feed by Server-Sent Events, cut at random bytes while others write."""

from collections.abc import Callable

from tests.streams.following import Figures, follow


async def run(*, events: int, cuts: int, say: Callable[[str], None]) -> Figures:
    """Follow so many events over a network that cuts so often; return what was seen."""
    return await follow("stream", events=events, cuts=cuts, say=say)
