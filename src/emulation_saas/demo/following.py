"""What an integrator gets of the year: the feed, followed from the first event by the client that integrators use."""

import asyncio
from collections import Counter
from typing import Final

import msgspec

from emulation_saas.client import ClientError, Feed
from emulation_saas.demo.player import DemoRefusedError

PATIENCE_S: Final = 30.0


class FollowedTold(msgspec.Struct, frozen=True):
    """What came, in order and none of it twice: the client has checked that."""

    through: int
    """The position up to which the log was followed."""
    events: int
    """How many of them are public, and came."""
    by_kind: dict[str, int]
    """The same by what they are about: the first part of their types' names."""


def followed(url: str, province: str, *, token: str, through: int) -> FollowedTold:
    """Follow a province's feed from its beginning to a position, as the bearer of a token may see it.

    Raises:
        DemoRefusedError: it cannot be followed.
    """

    async def kinds() -> list[str]:
        async with Feed(url, province, token=token, patience_s=PATIENCE_S) as feed:
            return [event.type.partition(".")[0] async for event in feed.events(through=through)]

    try:
        came = asyncio.run(kinds())
    except ClientError as error:
        raise DemoRefusedError(f"the feed cannot be followed: {error}") from error
    return FollowedTold(through=through, events=len(came), by_kind=dict(sorted(Counter(came).items())))
