"""Lists, page by page: all of one moment, none left out, none twice."""

from typing import Any

import pytest

from emulation_saas.http.paging import Page, cursor
from emulation_saas.http.refusals import BadCursor
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.projecting.rebuild import rebuild
from projections.roster import Roster
from projections.tallies import Tallies
from tests.projections.asking import ROSTER, TIMELINE, WHERES, agency, ask, found, view_of
from tests.projections.histories import AGENCIES, BLOCS, YEARS
from tests.projections.live import place, running, told
from tests.scenario import AUDITOR, representing


async def test_pages_are_of_one_moment_however_long_the_walk_takes(database_url: str) -> None:
    async with place(database_url) as there, running(there):
        await there.reached(await there.tell(*(agency(f"a-{number}") for number in range(7))))
        seen: list[str] = []
        following: str | None = None
        for _ in range(4):
            page = await found(there, ROSTER, page=Page(limit=2, cursor=following))
            seen += [line["agency"] for line in page["agencies"]]
            following = page.get("next")
            await there.reached(await there.tell(agency(f"a-{seen[-1][2:]}x")))
        assert seen == [f"a-{number}" for number in range(7)]
        assert following is None
        first = await found(there, ROSTER, page=Page(limit=2))
        with pytest.raises(BadCursor):
            await ask(there, view_of(Roster(), "/blocs"), page=Page(limit=2, cursor=first["next"]))


async def test_tag_of_a_page_is_another_once_its_cursor_is(database_url: str) -> None:
    async with place(database_url) as there, running(there):
        await there.reached(await there.tell(*told(20, steps=400)))
        ballots = view_of(Tallies(), "/ballots")
        first = await ask(there, ballots, page=Page(limit=1))
        await there.reached(await there.tell(agency("khac")))
        later = await ask(there, ballots, page=Page(limit=1))
        assert first.body != later.body, "the next page is that of another moment"
        assert first.tag != later.tag


async def test_ballots_and_years_are_walked_page_by_page(database_url: str) -> None:
    async with place(database_url) as there:
        await there.tell(*told(20, steps=700))
        for built in (False, True):
            if built:
                await rebuild(there.log, there.database, Tallies())
            whole = await found(there, view_of(Tallies(), "/ballots"), page=Page(limit=1000))
            walked: list[Any] = []
            following: str | None = None
            while True:
                page = await found(there, view_of(Tallies(), "/ballots"), page=Page(limit=2, cursor=following))
                walked += page["ballots"]
                following = page.get("next")
                if following is None:
                    break
            assert walked == whole["ballots"]
            assert len(walked) > 2


async def test_timeline_is_the_year_in_order_page_by_page(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.timeline.BUCKET", 8)
    monkeypatch.setattr("projections.timeline.BUCKETS_MAX", 3)
    async with place(database_url) as there, running(there):
        await there.reached(await there.tell(*told(21, steps=200)))
        tag = f"year:{BLOCS[0]}/{YEARS[0]}"
        expected = [each.position for each in await there.history() if tag in each.event.tags()]
        for as_of in (None, expected[len(expected) // 2]):
            told_of: list[int] = []
            following: str | None = None
            asked_at = None if as_of is None else str(as_of)
            while True:
                page = await found(there, TIMELINE, as_of=asked_at, page=Page(limit=5, cursor=following))
                told_of += [event["position"] for event in page["events"]]
                following = page.get("next")
                await there.tell(agency(f"z-{len(told_of)}-{as_of or 0}"))
                if following is None:
                    break
            assert told_of == [position for position in expected if as_of is None or position <= as_of]


async def test_timeline_tells_a_party_what_the_party_may_see(database_url: str) -> None:
    async with place(database_url) as there:
        await there.tell(*told(22))
        member = representing(AGENCIES[0], blocs=[BLOCS[0]])
        shown = await ask(there, TIMELINE, may=member)
        assert shown.body == (await ask(there, TIMELINE, may=AUDITOR)).body
        assert not shown.is_final
        with pytest.raises(NotEmpowered):
            await ask(there, TIMELINE, may=representing(AGENCIES[0], blocs=[BLOCS[1]]))


@pytest.mark.parametrize(
    ("question", "position", "after"),
    [
        (ROSTER, 10_000, "noi-vu"),
        (ROSTER, 5, "nội vụ\x00"),
        (TIMELINE, 5, "noi-vu"),
    ],
)
async def test_cursor_that_no_page_gave_is_refused(
    database_url: str, question: tuple[Any, Any], position: int, after: str
) -> None:
    async with place(database_url) as there:
        forged = cursor(of=f"{question[1].path} {WHERES[0]} None None", position=position, after=after)
        with pytest.raises(BadCursor):
            await ask(there, question, page=Page(cursor=forged))
        honest = cursor(of=f"{question[1].path} {WHERES[0]} None None", position=5, after="5")
        assert await found(there, question, page=Page(cursor=honest)) is not None
