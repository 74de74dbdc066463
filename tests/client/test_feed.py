"""The feed's client against a server that says what the test tells it to: nothing is lost, doubled or believed."""

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

import httpx
import pytest

from emulation_saas.client import (
    ClientError,
    CursorBeyondHeadError,
    Event,
    Feed,
    LogGapError,
    MalformedError,
    MissingPositionError,
    RefusedError,
    RepeatedPositionError,
    UnauthorizedError,
    UnreachableError,
    following,
)
from emulation_saas.client.following import PAGE, WAIT_S
from emulation_saas.client.pauses import PAUSE_MAX_S, PAUSE_S
from tests.client.scripted import BATCH, STREAM, TOKEN, answer, block, event, page, refusal, scripted, stream
from tests.serving import free_port

By = Literal["stream", "poll"]


async def taken(feed: Feed, *, through: int, **asked: Any) -> list[Event]:  # noqa: ANN401 - as `events` takes it
    """Follow a feed through a position."""
    async with feed:
        return [each async for each in feed.events(through=through, **asked)]


def positions(events: Sequence[Event]) -> list[int]:
    return [each.position for each in events]


async def test_event_is_given_as_it_came() -> None:
    async with scripted(stream(block(1))) as server:
        (first,) = await taken(server.feed(), through=1)
    assert first.raw == event(1)
    assert (first.type, first.subject, first.causation) == ("year.launched.v1", "blocs/b/years/2023", None)
    assert first.data == {"text": "Phát động", "points": "18.5"}
    assert (first.actor, first.source) == ("p-daodaodao2", "urn:emulation:province:0")
    assert first.recorded_at.isoformat() == "2024-01-30T02:00:05.123456+00:00"
    assert first.time.isoformat() == "2024-01-30T02:00:00+00:00"


async def test_event_of_a_page_is_given_as_it_came() -> None:
    async with scripted(page(1, 2, scanned_to=2)) as server:
        first, second = await taken(server.feed(by="poll"), through=2)
    assert (first.raw, second.raw) == (event(1), event(2))


async def test_question_says_what_is_wanted_and_who_asks() -> None:
    async with scripted(stream(block(8))) as server:
        await taken(server.feed(), through=8, after=7, types=["scoring.*", "ballot.closed.v1"], tags=["bloc:b"])
    (asked,) = server.asked
    assert asked.target.startswith("/v1/provinces/bac-song/events?")
    assert asked.query == {"after": "7", "through": "8", "types": "scoring.*,ballot.closed.v1", "tags": "bloc:b"}
    assert (asked.headers["accept"], asked.headers["authorization"]) == (STREAM, f"bearer {TOKEN}")


async def test_page_is_asked_for_with_a_wait() -> None:
    async with scripted(page(1, scanned_to=1)) as server:
        await taken(server.feed(by="poll"), through=1)
    assert server.asked[0].query == {"after": "0", "through": "1", "limit": str(PAGE), "wait": str(WAIT_S)}
    assert server.asked[0].headers["accept"] == BATCH


async def test_stream_that_is_cut_is_taken_up_where_it_was() -> None:
    whole = stream(block(1), block(2), block(3), lost=True)
    cut_in_a_block = whole[: whole.index(b'"id":"3"')]
    async with scripted(cut_in_a_block, stream(block(3), block(4))) as server:
        events = await taken(server.feed(), through=4, gapless=True)
    assert positions(events) == [1, 2, 3, 4]
    assert [asked.query["after"] for asked in server.asked] == ["0", "2"]


async def test_page_that_is_cut_is_asked_for_again() -> None:
    whole = page(1, 2, scanned_to=2)
    async with scripted(whole[:-20], whole) as server:
        assert positions(await taken(server.feed(by="poll"), through=2, gapless=True)) == [1, 2]
    assert [asked.query["after"] for asked in server.asked] == ["0", "0"]


async def test_page_that_breaks_off_is_asked_for_in_half_until_one_comes() -> None:
    broken = page(1, 2, scanned_to=2)[:-20]
    whole = [page(position, scanned_to=position) for position in range(1, 5)]
    async with scripted(*[broken] * 20, *whole) as server:
        assert positions(await taken(server.feed(by="poll"), through=4, gapless=True)) == [1, 2, 3, 4]
    limits = [int(asked.query["limit"]) for asked in server.asked]
    assert limits[:4] == [PAGE, PAGE // 2, PAGE // 4, PAGE // 8]
    assert (limits[20], limits[-1]) == (1, 8)


async def test_id_that_stands_alone_is_where_one_goes_on() -> None:
    answers = stream(block(1), b"id: 500\n\n"), stream(b": ping\n\n", block(501))
    async with scripted(*answers) as server:
        events = await taken(server.feed(), through=501, types=["year.*"])
    assert positions(events) == [1, 501]
    assert server.asked[1].query["after"] == "500"


async def test_what_was_looked_through_is_not_asked_for_again() -> None:
    async with scripted(page(scanned_to=5_000), page(5_001, scanned_to=5_100)) as server:
        feed = server.feed(by="poll")
        assert positions(await taken(feed, through=5_100, types=["year.*"])) == [5_001]
        assert (feed.position, feed.head) == (5_100, 9)
    assert server.asked[1].query["after"] == "5000"


@pytest.mark.parametrize("by", ["stream", "poll"])
async def test_missing_position_is_an_error_and_not_passed_over(by: By) -> None:
    lacking = stream(block(1), block(3)) if by == "stream" else page(1, 3, scanned_to=3)
    async with scripted(lacking) as server:
        with pytest.raises(MissingPositionError) as raised:
            await taken(server.feed(by=by), through=3, gapless=True)
    assert (raised.value.expected, raised.value.came) == (2, 3)


@pytest.mark.parametrize("by", ["stream", "poll"])
async def test_position_that_comes_again_is_an_error(by: By) -> None:
    again = stream(block(1), block(2), block(2)) if by == "stream" else page(1, 2, 2, scanned_to=2)
    async with scripted(again) as server:
        with pytest.raises(RepeatedPositionError):
            await taken(server.feed(by=by), through=9)


async def test_page_that_looked_less_far_than_it_shows_is_an_error() -> None:
    async with scripted(page(1, 2, scanned_to=1)) as server:
        with pytest.raises(RepeatedPositionError):
            await taken(server.feed(by="poll"), through=9)


@pytest.mark.parametrize(
    "wrong",
    [
        stream(b"id: 2\nevent: year.launched.v1\ndata: " + event(1) + b"\n\n"),
        stream(b"id: 1\nevent: year.closed.v1\ndata: " + event(1) + b"\n\n"),
        stream(b"id: 1\nevent: year.launched.v1\ndata: {}\n\n"),
        stream(b"id: x\n\n"),
        stream(b"id: " + b"9" * 5_000 + b"\n\n"),
        stream(b"event: end\ndata: no\n\n"),
        stream(b"data: " + b"x" * 200_000 + b"\n\n"),
        answer(200, b"<html>", "Content-Type: text/html\r\n"),
        answer(200, b"no gzip", f"Content-Type: {STREAM}\r\nContent-Encoding: gzip\r\n"),
        answer(200, b"", ""),
    ],
)
async def test_answer_that_is_none_is_not_believed(wrong: bytes) -> None:
    async with scripted(wrong) as server:
        with pytest.raises(MalformedError):
            await taken(server.feed(), through=2)


@pytest.mark.parametrize(
    "wrong",
    [
        answer(200, b"[{]", f"Content-Type: {BATCH}\r\nLog-Scanned-To: 1\r\n"),
        answer(200, b"[]", f"Content-Type: {BATCH}\r\n"),
        answer(200, b"[1]", f"Content-Type: {BATCH}\r\nLog-Scanned-To: 1\r\n"),
        answer(200, b"[]", f"Content-Type: {BATCH}\r\nLog-Scanned-To: -1\r\n"),
    ],
)
async def test_page_that_is_none_is_not_believed(wrong: bytes) -> None:
    async with scripted(wrong) as server:
        with pytest.raises(MalformedError):
            await taken(server.feed(by="poll"), through=2)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "unknown-caller", UnauthorizedError),
        (403, "not-empowered", RefusedError),
        (404, "no-such-province", RefusedError),
        (422, "cursor-beyond-head", CursorBeyondHeadError),
        (422, "invalid-filter", RefusedError),
        (302, "", RefusedError),
    ],
)
async def test_refusal_is_named(status: int, code: str, kind: type[RefusedError]) -> None:
    async with scripted(refusal(status, code)) as server:
        with pytest.raises(ClientError) as raised:
            await taken(server.feed(), through=2)
    assert type(raised.value) is kind
    assert isinstance(raised.value, RefusedError)
    assert (raised.value.status, raised.value.code) == (status, code)
    assert len(server.asked) == 1


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"\xff", b"x" * 100_000])
async def test_refusal_without_a_problem_is_a_refusal(body: bytes) -> None:
    async with scripted(answer(403, body, "Content-Type: text/html\r\n")) as server:
        with pytest.raises(RefusedError, match="HTTP status 403"):
            await taken(server.feed(), through=2)


@pytest.mark.parametrize("by", ["stream", "poll"])
async def test_busy_service_is_asked_later(by: By) -> None:
    good = stream(block(1)) if by == "stream" else page(1, scanned_to=1)
    async with scripted(refusal(503, "busy", "Retry-After: 7\r\n"), refusal(429), good) as server:
        assert positions(await taken(server.feed(by=by), through=1)) == [1]
    assert 7 <= server.waited[0] <= 8
    assert 0 < server.waited[1] <= 2


async def test_pauses_grow_and_begin_again_after_progress() -> None:
    answers = [refusal(500)] * 8 + [stream(block(1), lost=True), refusal(500), stream(block(2))]
    async with scripted(*answers) as server:
        assert positions(await taken(server.feed(), through=2)) == [1, 2]
    assert all(PAUSE_S * 2**n / 2 <= waited <= PAUSE_S * 2**n for n, waited in enumerate(server.waited[:6]))
    assert PAUSE_MAX_S / 2 <= server.waited[7] <= PAUSE_MAX_S
    assert server.waited[8] <= PAUSE_S


async def test_service_says_how_long_to_stay_away() -> None:
    async with scripted(stream(b"retry: 5000\n\n", block(1)), stream(block(2))) as server:
        await taken(server.feed(), through=2)
    assert 2.5 <= server.waited[0] <= 5


async def test_stream_that_ends_for_its_time_is_taken_up_at_once() -> None:
    ending = b'event: end\ndata: {"reason":"time"}\n\n'
    async with scripted(stream(block(1), ending), stream(block(2))) as server:
        assert positions(await taken(server.feed(), through=2)) == [1, 2]
    assert server.waited == []


async def test_stream_that_ends_as_soon_as_it_began_is_not_asked_for_again_at_once() -> None:
    """As for a token that has just expired: it is the same again until there is another."""
    ending = b'event: end\ndata: {"reason":"time"}\n\n'
    async with scripted(*[stream(ending)] * 3, stream(block(1))) as server:
        assert positions(await taken(server.feed(), through=1)) == [1]
    assert all(PAUSE_S * 2**n / 2 <= waited <= PAUSE_S * 2**n for n, waited in enumerate(server.waited))
    assert len(server.waited) == 3


@pytest.mark.parametrize("nothing", [page(scanned_to=0), stream(b": ping\n\n", lost=True)])
async def test_who_was_answered_stays_no_longer_away_because_nothing_happens(
    nothing: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "HELD_S", 0.0)
    by: By = "poll" if BATCH.encode() in nothing else "stream"
    good = page(1, scanned_to=1) if by == "poll" else stream(block(1))
    async with scripted(*[nothing] * 9, good) as server:
        assert positions(await taken(server.feed(by=by), through=1)) == [1]
    assert len(server.waited) == 9
    assert max(server.waited) <= PAUSE_S


@pytest.mark.parametrize(("told", "least", "most"), [(b"0", 0.05, 0.1), (b"999999999", 30, PAUSE_MAX_S)])
async def test_stream_has_not_the_last_word_on_how_long_to_stay_away(told: bytes, least: float, most: float) -> None:
    async with scripted(stream(b"retry: " + told + b"\n\n", block(1)), stream(block(2))) as server:
        await taken(server.feed(), through=2)
    assert least <= server.waited[0] <= most


async def test_head_is_told_and_is_no_event() -> None:
    async with scripted(stream(block(1), b'event: head\ndata: {"head":1}\n\n', block(2))) as server:
        feed = server.feed()
        assert positions(await taken(feed, through=2)) == [1, 2]
    assert feed.head == 1


async def test_gap_that_the_service_itself_found_is_an_error() -> None:
    async with scripted(stream(block(1), b'event: end\ndata: {"reason":"gap"}\n\n')) as server:
        with pytest.raises(LogGapError, match="nothing at 2"):
            await taken(server.feed(), through=2)


class Tokens:
    """Gives one token after another."""

    def __init__(self, *tokens: str) -> None:
        self._tokens = list(tokens)

    async def next(self) -> str:
        return self._tokens.pop(0)


async def test_token_is_asked_for_anew_for_every_connection() -> None:
    async with scripted(stream(block(1)), refusal(401), stream(block(2))) as server:
        events = await taken(server.feed(token=Tokens("a", "b", "c").next), through=2)
    assert positions(events) == [1, 2]
    assert [asked.headers["authorization"] for asked in server.asked] == ["bearer a", "bearer b", "bearer c"]


async def test_second_token_that_is_not_accepted_is_the_last() -> None:
    async with scripted(refusal(401)) as server:
        with pytest.raises(UnauthorizedError):
            await taken(server.feed(token=Tokens("a", "b", "c").next), through=2)
    assert len(server.asked) == 2


@pytest.mark.parametrize("patience_s", [0.0, 40.0])
async def test_nobody_there_is_waited_for_as_long_as_one_is_patient(patience_s: float) -> None:
    waited: list[float] = []

    async def sleep(pause_s: float) -> None:
        await asyncio.sleep(0)
        waited.append(pause_s)

    async with httpx.AsyncClient(trust_env=False) as http:
        url = f"http://127.0.0.1:{free_port()}"
        feed = Feed(url, "bac-song", token=TOKEN, patience_s=patience_s, http=http, sleep=sleep)
        with pytest.raises(UnreachableError):
            await taken(feed, through=1)
    assert bool(waited) is bool(patience_s)


async def test_selection_cannot_be_gapless() -> None:
    async with scripted(page(scanned_to=1)) as server, server.feed() as feed:
        with pytest.raises(ValueError, match="selection"):
            feed.events(types=["a"], gapless=True)


async def test_who_leaves_in_the_middle_leaves_nothing_open() -> None:
    answers = stream(block(1), block(2), block(3)), stream(block(2), block(3))
    async with scripted(*answers) as server, server.feed() as feed:
        async for each in feed.events():
            assert each.position == 1
            break
        assert feed.position == 1
        async for each in feed.events(after=feed.position):
            assert each.position == 2
            break
