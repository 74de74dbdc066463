"""A consumer's client: what was dealt with is acknowledged, what was not comes again, nobody is read past."""

import json

import pytest

from emulation_saas.client import MalformedError, MovedError, RefusedError, RepeatedPositionError
from tests.client.scripted import Scripted, answer, page, refusal, scripted

DONE = answer(200, b"{}", "Content-Type: application/json\r\n")


async def taken(server: Scripted, *, last: int) -> list[int]:
    """Read as a consumer until a position was dealt with, and a little on: asking for more acknowledges."""
    positions: list[int] = []
    async with server.consumer() as consumer:
        async for event in consumer.events():
            positions.append(event.position)
            if event.position == last:
                break
    return positions


def told(server: Scripted) -> list[tuple[str, dict[str, int]]]:
    """Return what was asked: the last part of each path, with the body."""
    return [(each.target.split("?")[0].rpartition("/")[2], json.loads(each.body or b"{}")) for each in server.asked]


async def test_page_that_was_dealt_with_is_acknowledged_before_the_next_is_asked_for() -> None:
    answers = page(4, 6, scanned_to=9, stands_at=3), DONE, page(12, scanned_to=12, stands_at=9)
    async with scripted(*answers) as server:
        assert await taken(server, last=12) == [4, 6, 12]
    assert told(server) == [("events", {}), ("ack", {"expected": 3, "position": 9}), ("events", {})]
    assert [each.method for each in server.asked] == ["GET", "POST", "GET"]
    assert server.asked[1].headers["content-type"] == "application/json"


async def test_page_left_in_the_middle_is_not_acknowledged() -> None:
    async with scripted(page(4, 5, scanned_to=5, stands_at=3)) as server:
        assert await taken(server, last=5) == [4, 5]
    assert told(server) == [("events", {})]


async def test_what_was_looked_through_in_vain_is_acknowledged_too() -> None:
    answers = page(scanned_to=500, stands_at=3), DONE, page(501, scanned_to=501, stands_at=500)
    async with scripted(*answers) as server:
        assert await taken(server, last=501) == [501]
    assert told(server)[1] == ("ack", {"expected": 3, "position": 500})


async def test_nothing_new_is_not_acknowledged() -> None:
    async with scripted(page(scanned_to=3, stands_at=3), page(4, scanned_to=4, stands_at=3)) as server:
        assert await taken(server, last=4) == [4]
    assert told(server) == [("events", {}), ("events", {})]


@pytest.mark.parametrize("lost", [refusal(503), b"", DONE[:40]])
async def test_acknowledgement_whose_answer_was_lost_is_sent_again(lost: bytes) -> None:
    answers = page(4, scanned_to=4, stands_at=3), lost, lost, DONE, page(5, scanned_to=5, stands_at=4)
    async with scripted(*answers) as server:
        assert await taken(server, last=5) == [4, 5]
    assert told(server)[1:4] == [("ack", {"expected": 3, "position": 4})] * 3


async def test_refused_acknowledgement_ends_it() -> None:
    async with scripted(page(4, scanned_to=4, stands_at=3), refusal(409, "stale-ack")) as server:
        with pytest.raises(RefusedError, match="stale-ack"):
            await taken(server, last=5)


async def test_consumer_that_somebody_else_moved_is_not_read_on() -> None:
    answers = page(4, scanned_to=4, stands_at=3), DONE, page(8, scanned_to=8, stands_at=7)
    async with scripted(*answers) as server:
        with pytest.raises(MovedError) as raised:
            await taken(server, last=8)
    assert (raised.value.left_at, raised.value.found_at) == (4, 7)


async def test_event_behind_the_consumer_s_place_is_not_taken() -> None:
    async with scripted(page(3, scanned_to=3, stands_at=3)) as server:
        with pytest.raises(RepeatedPositionError):
            await taken(server, last=3)


async def test_page_of_no_consumer_is_not_believed() -> None:
    async with scripted(page(4, scanned_to=4).replace(b"Consumer-Position", b"X")) as server:
        with pytest.raises(MalformedError):
            await taken(server, last=4)
