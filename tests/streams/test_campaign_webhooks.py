"""The campaign of webhooks, smaller; and what it would say if something were wrong."""

import asyncio

from tests.streams import campaign_webhooks
from tests.webhooks.receiving import authorities

PATIENCE_S = 300.0
EVENTS = 200
CUTS = 12


async def test_nothing_is_lost_doubled_altered_or_out_of_order(database_url: str) -> None:
    said: list[str] = []
    async with asyncio.timeout(PATIENCE_S), authorities() as authority:
        figures = await campaign_webhooks.tried(database_url, authority, events=EVENTS, cuts=CUTS, say=said.append)
    wrong = ("lost", "doubled", "out_of_order", "altered", "cuts_missing", "internal_connections")
    assert {name: figures[name] for name in wrong} == dict.fromkeys(wrong, 0)
    assert figures["cuts"] == CUTS
    assert figures["failed"] > EVENTS * 0.1


def test_disorder_is_told_from_repetition() -> None:
    assert campaign_webhooks.disorder([1, 2, 2, 3]) == {}
    assert campaign_webhooks.disorder([1, 3, 2, 4]) == {"out_of_order": 1}
    assert campaign_webhooks.disorder([1, 2, 3, 2, 4]) == {"doubled": 1}
