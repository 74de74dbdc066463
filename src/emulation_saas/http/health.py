"""Whether a worker lives, and whether it can serve: for whoever runs it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from litestar import get
from litestar.handlers import HTTPRouteHandler

from emulation_saas.http.refusals import NotReady

_TIMEOUT_S: Final = 2.0


@get("/health/live", summary="Whether the process lives", tags=["health"])
async def live() -> dict[str, str]:
    """Answer as long as the process runs at all."""
    return {"status": "live"}


def readiness(reachable: Callable[[], Awaitable[None]]) -> HTTPRouteHandler:
    """Return the route that asks the database.

    Args:
        reachable: returns when the database answered, raises when it did not.
    """

    @get("/health/ready", summary="Whether the service can reach its database", tags=["health"])
    async def ready() -> dict[str, str]:
        """Answer 200 when the database answers within two seconds, else 503."""
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                await reachable()
        except Exception as error:
            raise NotReady from error
        return {"status": "ready"}

    return ready
