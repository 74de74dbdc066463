"""Callers of a service that breaks: they note every answer, repeat what failed by its key, and compare in the end."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

import httpx
import msgspec

from tests.serving import Served

AGAIN_S: Final = 0.1
CREATED: Final = 201
NOT_ANSWERED: Final = 0
"""Stands among the statuses for a request whose connection broke."""


class _Event(msgspec.Struct):
    id: str
    type: str
    data: dict[str, object]


class _Answer(msgspec.Struct):
    events: list[msgspec.Raw]


@dataclass
class Writers:
    """Register agencies, one after the other, each under a key of its own, until told to stop."""

    client: httpx.AsyncClient
    path: str
    acknowledged: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """The event that each handle was answered with, as it came."""
    statuses: Counter[int] = field(default_factory=Counter[int])
    """Of all answers but 201."""
    worst_gap_s: float = 0.0
    """The longest time in which nothing was acknowledged."""
    is_over: bool = False
    _last: float = field(default_factory=monotonic)

    async def run(self, writers: int) -> None:
        """Write from as many places at once."""
        self._last = monotonic()
        await asyncio.gather(*(self._write(writer) for writer in range(writers)))

    async def _write(self, writer: int) -> None:
        number = 0
        while not self.is_over:
            handle = f"so-{writer}-{number}"
            event = await self._registered(handle)
            if event is not None:
                self.acknowledged[handle] = event
                now = monotonic()
                self.worst_gap_s, self._last = max(self.worst_gap_s, now - self._last), now
            number += 1

    async def _registered(self, handle: str) -> bytes | None:
        """Ask until there is an answer, always under the same key; None when told to stop before."""
        body = {"agency": handle, "name": f"Sở {handle}", "effective_on": "2020-01-01"}
        while not self.is_over:
            try:
                answer = await self.client.post(
                    f"{self.path}/agencies", json=body, headers={"idempotency-key": f"key-{handle}"}
                )
            except httpx.TransportError:
                self.statuses[NOT_ANSWERED] += 1
            else:
                if answer.status_code == CREATED:
                    (event,) = msgspec.json.decode(answer.content, type=_Answer).events
                    return bytes(event)
                self.statuses[answer.status_code] += 1
            await asyncio.sleep(AGAIN_S)
        return None

    async def compared(self, token: str) -> dict[str, int | float]:
        """Return how the log, as an auditor reads it, differs from what was answered; positions are 1 to `events`."""
        answer = await self.client.get(
            f"{self.path}/events?after=0", headers={"accept": "application/x-ndjson", "authorization": token}
        )
        answer.raise_for_status()
        stored: dict[str, list[bytes]] = {}
        positions: list[int] = []
        for line in answer.content.splitlines():
            event = msgspec.json.decode(line, type=_Event)
            positions.append(int(event.id))
            if event.type == "agency.registered.v1":
                stored.setdefault(str(event.data["agency"]), []).append(line)
        return {
            "events": len(positions),
            "acknowledged": len(self.acknowledged),
            "lost": sum(event not in stored.get(handle, ()) for handle, event in self.acknowledged.items()),
            "doubled": sum(len(lines) - 1 for lines in stored.values()),
            "gaps": sum(position != number for number, position in enumerate(positions, start=1)),
            "worst_gap_s": round(self.worst_gap_s, 2),
        }


async def auditor(service: Served, client: httpx.AsyncClient, path: str, sub: str) -> str:
    """Have somebody made an auditor of the province; return the header with his token."""
    person = {"issuer": "urn:emulation:issuer:local", "sub": sub, "name": f"Kiểm toán {sub}"}
    answer = await client.post(f"{path}/persons", json=person)
    assert answer.status_code == CREATED, answer.text
    who = answer.json()["events"][0]["data"]["person"]
    granted = await client.post(f"{path}/roles", json={"person": who, "role": "auditor"})
    assert granted.status_code == CREATED, granted.text
    return service.token(sub)["authorization"]
