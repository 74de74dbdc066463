"""The bridge's campaign in short."""

from tests.streams.campaign import faults
from tests.streams.campaign_bridge import run


def quiet(what: str) -> None:
    del what


async def test_stream_is_the_visible_log_whatever_was_killed(database_url: str) -> None:
    figures = await run(events=300, cuts=8, say=quiet, url=database_url)
    assert faults({"bridge": figures}) == []
    assert (figures["cuts"], figures["workers_killed"]) == (8, 1)
    assert figures["hidden"] > 60
