"""Whether a worker lives, and whether it can serve: for whoever runs it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from litestar import get
from litestar.handlers import HTTPRouteHandler

from emulation_saas.http.refusals import NotReady

_TIMEOUT_S: Final = 2.0


@get("/health/live", summary="Whether the process lives", tags=["health"])
async def live() -> dict[str, str]:
    """Answer as long as the process runs at all."""
    return {"status": "live"}


def readiness(reachable: Callable[[], Awaitable[None]], faults: Callable[[], Sequence[str]]) -> HTTPRouteHandler:
    """Return the route that asks the database, and whether all that this process does by itself moves.

    Args:
        reachable: returns when the database answered, raises when it did not.
        faults: says what does not move, a few words each.
    """

    @get("/health/ready", summary="Whether this process can serve", tags=["health"])
    async def ready() -> dict[str, str]:
        """Answer 200 when the database answers within two seconds and everything moves, else 503 and why."""
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                await reachable()
        except Exception as error:
            raise NotReady("the database does not answer") from error
        if found := faults():
            raise NotReady(", ".join(found))
        return {"status": "ready"}

    return ready
