"""A reader whose place the service keeps: what was dealt with is acknowledged, and comes no more."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from math import inf
from typing import Final

import httpx
import msgspec

from emulation_saas.client.answers import Token
from emulation_saas.client.faults import MovedError
from emulation_saas.client.following import SILENCE_S, Follower, position_in
from emulation_saas.client.received import Event
from emulation_saas.client.track import Track

JSON: Final = "application/json"


class Consumer(Follower):
    """Reads as one consumer of a province, which was made before (`POST …/consumers`)."""

    def __init__(
        self,
        url: str,
        province: str,
        consumer: str,
        *,
        token: Token,
        patience_s: float = inf,
        http: httpx.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Prepare, as for `Feed`; `consumer` is its handle."""
        place = f"{url.rstrip('/')}/v1/provinces/{province}/consumers/{consumer}"
        super().__init__(f"{place}/events", token=token, patience_s=patience_s, http=http, sleep=sleep)
        self._place = place
        self._acknowledged: int | None = None
        """Where the service keeps the consumer, as far as is known."""

    def events(self) -> AsyncGenerator[Event]:
        """Give what follows the consumer's place; then wait for more, for ever.

        Who asks for the event after a page's last one has dealt with the page: then it is acknowledged. What was not,
        comes again the next time.

        Raises:
            MovedError: somebody else moved the consumer meanwhile.
            ClientError: following on would not mend it; see `faults`.
        """
        self._acknowledged = None
        return self._follow(self._taken)

    async def _taken(self) -> AsyncGenerator[Event]:
        if self._acknowledged is not None and self.position > self._acknowledged:
            await self._acknowledge(self._acknowledged, self.position)  # nobody knows what became of the first try
        page = await self._page({})
        stands_at = position_in(page.headers.get("consumer-position", ""))
        if self._acknowledged is None:
            self._track, self._acknowledged = Track(stands_at, gapless=False), stands_at
        elif stands_at != self._acknowledged:
            raise MovedError(self._acknowledged, stands_at)
        for event in self._told(page):
            yield event
        if self.position > stands_at:
            await self._acknowledge(stands_at, self.position)

    async def _acknowledge(self, expected: int, position: int) -> None:
        body = msgspec.json.encode({"expected": expected, "position": position})
        place = f"{self._place}/ack"
        async with self._asking.stream(place, {}, accept=JSON, silence_s=SILENCE_S, body=body) as answer:
            await answer.aread()
        self._acknowledged = position
