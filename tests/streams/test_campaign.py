"""The campaigns of feed and poll in short, and that they would find what they are for."""

from collections.abc import AsyncGenerator
from typing import Literal

import pytest

from emulation_saas.client import Event, Feed
from emulation_saas.kernel.clock import utc_now
from emulation_saas.log import Entry
from tests.streams.campaign import faults
from tests.streams.following import differences, follow

EVENTS, CUTS = 400, 12


def quiet(what: str) -> None:
    del what


@pytest.mark.parametrize("by", ["stream", "poll"])
async def test_what_came_is_the_log_however_often_it_was_cut(database_url: str, by: Literal["stream", "poll"]) -> None:
    figures = await follow(by, events=EVENTS, cuts=CUTS, say=quiet, url=database_url)
    assert faults({by: figures}) == []
    assert figures["cuts"] == CUTS
    assert figures["connections"] > CUTS


class Forgetful(Feed):
    """Drops the first event of every connection but the first: a client that resumes one too late."""

    async def _streamed(self, query: dict[str, str]) -> AsyncGenerator[Event]:
        resumes = self.position > 0
        async for event in super()._streamed(query):
            if not resumes:
                yield event
            resumes = False


async def test_client_that_drops_an_event_after_a_cut_is_caught(database_url: str) -> None:
    figures = await follow("stream", events=EVENTS, cuts=CUTS, say=quiet, client=Forgetful, url=database_url)
    assert 1 <= figures["lost"] <= CUTS
    assert faults({"feed": figures}) == [f"feed: lost {figures['lost']}"]


LOG = [Entry(position, "a", utc_now(), b"%d" % position, b"") for position in range(1, 5)]


@pytest.mark.parametrize(
    ("came", "wrong"),
    [
        ([b"1", b"2", b"3", b"4"], ""),
        ([b"1", b"2", b"4"], "lost"),
        ([b"1", b"2", b"2", b"3", b"4"], "doubled"),
        ([b"1", b"3", b"2", b"4"], "out_of_order"),
        ([b"1", b"2", b"3", b"4", b"5"], "altered"),
    ],
)
def test_each_difference_is_told(came: list[bytes], wrong: str) -> None:
    assert differences(came, LOG) == {
        name: int(name == wrong) for name in ("lost", "doubled", "out_of_order", "altered")
    }
