"""(d) Both designs of the tag index at a million events; `tag_index` says how they are laid out and asked."""

import asyncio
from collections.abc import Callable
from typing import Final

from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.bench import tag_index
from tests.bench.figures import Row
from tests.database import fresh_database

EVENTS: Final = 1_000_000
EVENTS_QUICK: Final = 50_000
TITLE: Final = (
    "(d) Finding events by tag: a side table (ours) or GIN over (province_id, tags); app: row security, owner: none"
)
_UNITS: Final = {"_per_s": "/s", "_ms": "ms", "_bytes_per_event": "B/event"}


def measure(server: EmbeddedPostgres, *, quick: bool, say: Callable[[str], None]) -> tuple[dict[str, float], list[Row]]:
    """Measure both designs; each figure is compared with its rival's."""
    events = EVENTS_QUICK if quick else EVENTS
    say(f"(d) loading {events} events into both designs; with a million this takes minutes")
    measured = asyncio.run(_measured(server, events))
    rows: list[Row] = []
    for name, side in measured.items():
        rival = measured.get(name.replace("side_", "gin_", 1))
        unit = next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), None)
        if name.startswith("side_") and rival is not None and unit is not None:
            what = name.removeprefix("side_").replace("_", " ")
            rows += [
                Row(f"{what}: side table", side, unit, "GIN", side / rival if rival else None),
                Row(f"{what}: GIN", rival, unit),
            ]
    return {f"tag_index_{name}": figure for name, figure in measured.items()}, rows


async def _measured(server: EmbeddedPostgres, events: int) -> dict[str, float]:
    return await tag_index.measure(await fresh_database(server), events)
