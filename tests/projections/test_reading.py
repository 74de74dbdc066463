"""Questions to a real log: now, as of then, on a day, not before a position; whoever keeps the documents up, or nobody."""

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from emulation_saas.agencies.events import AgencyRegistered, AgencyRenamed
from emulation_saas.blocs.events import BlocEstablished
from emulation_saas.http.bodies import NoSuchMoment
from emulation_saas.http.paging import Page
from emulation_saas.http.refusals import BadCursor
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.clock import utc_now
from emulation_saas.kernel.events import AnyRecorded
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.log import ProvinceLog
from emulation_saas.pledges.events import PledgeSigned
from emulation_saas.projecting import AnyProjection, Reader
from emulation_saas.projecting.reading import Query, Reading
from emulation_saas.projecting.rebuild import rebuild
from emulation_saas.projecting.refusals import AsOfBeyondHead, AsOfInFuture, NoSuchDocument, ProjectionBehind
from emulation_saas.projecting.views import View, Where
from projections import PROJECTIONS
from projections.pledge_book import PledgeBook
from projections.ratings import Ratings
from projections.roster import Roster
from projections.standings import Standings
from projections.tallies import Tallies
from projections.timeline import Timeline
from tests.database import superuser
from tests.projections.histories import AGENCIES, BLOCS, OFFICER, YEARS
from tests.projections.live import Place, place, running, told
from tests.projections.test_laws import by_hand
from tests.scenario import ADMIN, AUDITOR, NOBODY, representing

WHERES = [
    Where(bloc=bloc, year=year, agency=agency, ballot=BallotId("b-0"))
    for bloc in BLOCS
    for year in YEARS
    for agency in AGENCIES[:1]
]
LONG_AGO = date(2020, 1, 1)


def agency(handle: str) -> AgencyRegistered:
    return AgencyRegistered(agency=AgencyId(handle), name=f"Sở {handle}", aliases=[], effective_on=LONG_AGO)


def view_of(projection: AnyProjection, ending: str) -> tuple[AnyProjection, View[Any]]:
    return projection, next(view for view in projection.views if view.path.endswith(ending))


ROSTER = view_of(Roster(), "/agencies")
STANDINGS = view_of(Standings(), "/standings")
TIMELINE = view_of(Timeline(), "/timeline")
PLEDGE = view_of(PledgeBook(), "/pledge")


async def ask(
    there: Place,
    question: tuple[AnyProjection, View[Any]],
    where: Where | None = None,
    *,
    may: Authority = ADMIN,
    log: Any = None,
    wait_max_s: float = 5.0,
    **query: Any,
) -> Reading:
    reader = Reader(there.database, wait_max_s=wait_max_s)
    return await reader.read(log or there.log, may, question, where or WHERES[0], Query(**query))


async def found(there: Place, *question: Any, **query: Any) -> Any:
    """Return the answer's document as a caller reads it; None where there is none."""
    try:
        return msgspec.json.decode((await ask(there, *question, **query)).body)
    except NoSuchDocument:
        return None


async def everything(there: Place, **query: Any) -> dict[str, bytes | None]:
    """Return the answers of all views everywhere."""
    answers: dict[str, bytes | None] = {}
    for projection in PROJECTIONS:
        for view in projection.views:
            for where in WHERES:
                try:
                    answer: bytes | None = (await ask(there, (projection, view), where, **query)).body
                except NoSuchDocument:
                    answer = None
                answers[f"{view.path} {where}"] = answer
    return answers


async def test_built_or_not_now_or_as_of_now_the_answer_is_the_same(database_url: str) -> None:
    async with place(database_url) as there:
        head = await there.tell(*told(11))
        unbuilt = await everything(there)
        assert sum(answer is not None for answer in unbuilt.values()) > len(unbuilt) / 2
        as_of_now = await everything(there, as_of=str(head))
        for projection in PROJECTIONS:
            await rebuild(there.log, there.database, projection)
        assert await everything(there) == unbuilt == as_of_now == await everything(there, as_of=str(head))


async def test_past_stays_what_it_was_whatever_happens_after(database_url: str) -> None:
    async with place(database_url) as there, running(there):
        then: dict[int, dict[str, bytes | None]] = {}
        for seed in (12, 13, 14):
            events = told(seed, steps=40) if seed == 12 else told(seed, steps=40)[14:]
            position = await there.tell(*(event for event in events if not event.type.startswith("nomination")))
            await there.reached(position)
            then[position] = await everything(there)
        assert len({str(answers) for answers in then.values()}) == 3
        for position, answers in then.items():
            assert _without_cursors(await everything(there, as_of=str(position))) == _without_cursors(answers)


def _without_cursors(answers: dict[str, bytes | None]) -> dict[str, Any]:
    """A cursor goes on in the list that gave it, and `as_of` is part of that list's name."""
    read = {path: None if answer is None else msgspec.json.decode(answer) for path, answer in answers.items()}
    for answer in read.values():
        if isinstance(answer, dict):
            answer.pop("next", None)
    return read


async def test_as_of_an_instant_is_as_of_the_last_position_then(database_url: str) -> None:
    async with place(database_url) as there:
        await there.tell(agency("noi-vu"))
        await asyncio.sleep(1.1)
        between = utc_now().replace(microsecond=0)
        await asyncio.sleep(1.1)
        await there.tell(agency("tu-phap"))
        reading = await ask(there, ROSTER, as_of=between.isoformat())
        assert [line["agency"] for line in msgspec.json.decode(reading.body)["agencies"]] == ["noi-vu"]
        assert not reading.is_settled
        assert reading.position == await there.log.position_at(between)
        assert await found(there, ROSTER, as_of="2020-01-01") is None


@pytest.mark.parametrize(
    ("as_of", "refusal"),
    [
        ("6", AsOfBeyondHead),
        ("99999999999999999999999999999999", AsOfBeyondHead),
        ((utc_now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ"), AsOfInFuture),
        ("2024-02-30", NoSuchMoment),
        ("yesterday", NoSuchMoment),
        ("-1", NoSuchMoment),
        ("\u0661", NoSuchMoment),
        ("", NoSuchMoment),
    ],
)
async def test_as_of_must_be_a_place_in_the_log(database_url: str, as_of: str, refusal: type[Exception]) -> None:
    async with place(database_url) as there:
        assert (await there.log.head()).position == 5
        with pytest.raises(refusal):
            await ask(there, ROSTER, as_of=as_of)


async def test_before_the_first_event_there_is_nothing(database_url: str) -> None:
    async with place(database_url) as there:
        assert await found(there, ROSTER, as_of="0") is None
        assert await found(there, ROSTER, as_of="5") == {"agencies": []}


async def test_read_waits_for_a_position(database_url: str) -> None:
    async with place(database_url) as there, running(there):
        head = (await there.log.head()).position
        waiting = asyncio.create_task(ask(there, ROSTER, min_position=head + 2))
        await there.tell(agency("noi-vu"))
        position = await there.tell(agency("tu-phap"))
        reading = await waiting
        assert reading.position >= position
        assert len(msgspec.json.decode(reading.body)["agencies"]) == 2


async def test_read_does_not_wait_for_ever(database_url: str) -> None:
    async with place(database_url) as there:
        head = await there.tell(agency("noi-vu"))
        for _ in ("folded from the log", "stored"):
            with pytest.raises(ProjectionBehind, match=f"now at {head}"):
                await ask(there, ROSTER, min_position=head + 1, wait_max_s=0.1)
            assert (await ask(there, ROSTER, min_position=head, wait_max_s=0.1)).position == head
            await rebuild(there.log, there.database, Roster())


async def test_present_is_the_checkpoint_when_nobody_keeps_up(database_url: str) -> None:
    async with place(database_url) as there:
        built = await there.tell(agency("noi-vu"))
        await rebuild(there.log, there.database, Roster())
        head = await there.tell(agency("tu-phap"))
        assert (await ask(there, ROSTER)).position == built
        assert len((await found(there, ROSTER, as_of=str(head)))["agencies"]) == 2
        assert len((await found(there, ROSTER, as_of=str(built)))["agencies"]) == 1


async def test_rights_are_looked_at_first(database_url: str) -> None:
    async with place(database_url) as there:
        for projection in PROJECTIONS:
            for view in projection.views:
                with pytest.raises(NotEmpowered):
                    await ask(there, (projection, view), may=NOBODY, as_of="999")


async def test_day_decides_names_and_is_in_the_tag(database_url: str) -> None:
    async with place(database_url) as there:
        renamed = AgencyRenamed(agency=AgencyId("noi-vu"), name="Sở Mới", effective_on=date(2025, 3, 1), legal_basis="")
        head = await there.tell(agency("noi-vu"), renamed)
        before = await ask(there, ROSTER, valid_on=date(2025, 2, 28), as_of=str(head))
        after = await ask(there, ROSTER, valid_on=date(2025, 3, 1), as_of=str(head))
        assert "Sở noi-vu" in before.body.decode()
        assert "Sở Mới" in after.body.decode()
        assert before.tag == f"p{head}-v1-2025-02-28"
        assert (before.is_final, (await ask(there, ROSTER, as_of=str(head))).is_final) == (True, False)


async def test_tag_changes_with_the_document_and_not_with_the_log(database_url: str) -> None:
    async with place(database_url) as there, running(there):
        first = await there.tell(*told(15))
        await there.reached(first)
        before = await ask(there, STANDINGS)
        second = await there.tell(agency("khac"))
        await there.reached(second)
        after = await ask(there, STANDINGS)
        assert (before.position, after.position) == (first, second)
        assert before.tag == after.tag
        assert before.body == after.body
        assert (await ask(there, STANDINGS, as_of=str(second))).is_final


class _Blind(Ratings):
    """Cannot fold one event."""

    at = 0

    def evolve(self, state: Any, recorded: AnyRecorded) -> Any:
        if recorded.position == self.at:
            msg = "lạ"
            raise ValueError(msg)
        return super().evolve(state, recorded)


async def test_quarantine_is_seen_from_its_position_on(database_url: str) -> None:
    async with place(database_url) as there:
        head = await there.tell(*told(16))
        history = await there.history()
        key = f"{BLOCS[0]}/{YEARS[0]}"
        at = [
            each.position
            for each in history
            if isinstance(each.event, Ratings.reads) and Ratings().keys_of(each) == (key,)
        ]
        blind = _Blind()
        blind.at = at[-1]
        question = view_of(blind, "/ratings")
        for built in (False, True):
            if built:
                await rebuild(there.log, there.database, blind)
            for as_of in (None, str(head), str(at[-1])):
                reading = await ask(there, question, as_of=as_of)
                answer = msgspec.json.decode(reading.body)
                assert answer.pop("quarantined") == {"position": at[-1], "reason": "ValueError: lạ"}
                assert answer == await found(there, view_of(Ratings(), "/ratings"), as_of=str(at[-1] - 1))
                assert not reading.is_final
            assert "quarantined" not in await found(there, question, as_of=str(at[-1] - 1))


class _Watched:
    """A log that remembers from where it was read."""

    def __init__(self, log: ProvinceLog) -> None:
        self._log = log
        self.read: list[tuple[int, int]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def recorded(self, selectors: Sequence[Any] = (), *, after: int = 0, through: int | None = None) -> Any:
        events = await self._log.recorded(selectors, after=after, through=through)
        self.read.append((after, len(events)))
        return events


async def test_past_of_the_whole_province_costs_what_came_after_a_snapshot(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulation_saas.projecting.folding.SNAPSHOT_EVERY", 10)
    async with place(database_url) as there:
        await there.tell(*told(17))
        without = {at: await found(there, ROSTER, as_of=str(at)) for at in range(1, 60, 7)}
        await rebuild(there.log, there.database, Roster())
        watched = _Watched(there.log)
        assert {at: await found(there, ROSTER, as_of=str(at), log=watched) for at in without} == without
        assert [after for after, _ in watched.read] == [at - at % 10 for at in without]
        async with there.database.in_province(there.log.province) as connection:
            await connection.execute("DELETE FROM snapshots")
        assert {at: await found(there, ROSTER, as_of=str(at)) for at in without} == without


async def test_past_of_a_document_costs_what_its_tags_select(database_url: str) -> None:
    async with place(database_url) as there:
        head = await there.tell(*told(18))
        watched = _Watched(there.log)
        await ask(there, STANDINGS, as_of=str(head), log=watched)
        mine = [
            each
            for each in await there.history()
            if isinstance(each.event, Standings.reads) and Standings().key(each.event) == f"{BLOCS[0]}/{YEARS[0]}"
        ]
        assert watched.read == [(0, len(mine))]


async def test_names_are_shown_as_long_as_there_are_keys_and_lie_nowhere_else(server: Any, database_url: str) -> None:
    async with place(database_url) as there, running(there):
        signed = PledgeSigned(bloc=BLOCS[0], year=YEARS[0], agency=AGENCIES[0], signed_by=OFFICER)
        await there.reached(await there.tell(*told(19), signed))
        shown = await ask(there, PLEDGE)
        lines = msgspec.json.decode(shown.body)["signatures"]
        (mine,) = [line["signed_by"] for line in lines if line["agency"] == AGENCIES[0]]
        assert mine == {"person": OFFICER.person, "name": OFFICER.name, "office": OFFICER.office}
        assert not (await ask(there, PLEDGE, as_of=str(shown.position))).is_final
        async with superuser(server, database_url.partition("?")[0].rpartition("/")[2]) as connection:
            kept = await connection.fetch("SELECT document FROM documents UNION ALL SELECT document FROM snapshots")
            assert not any("Đặng".encode() in row["document"] for row in kept)
            await connection.execute("DELETE FROM sealing.subject_keys WHERE person = $1", OFFICER.person)
    async with place_again(database_url) as there:
        erased = await ask(there, PLEDGE)
        lines = msgspec.json.decode(erased.body)["signatures"]
        assert {line["signed_by"]["name"] for line in lines} == {None}
        assert erased.tag != shown.tag


def place_again(url: str) -> Any:
    """Lend the province that is there already, to a process that has just begun."""
    return place(url)


async def test_pages_are_of_one_moment_however_long_the_walk_takes(database_url: str) -> None:
    async with place(database_url) as there, running(there):
        await there.reached(await there.tell(*(agency(f"a-{number}") for number in range(7))))
        seen: list[str] = []
        cursor: str | None = None
        for _ in range(4):
            page = await found(there, ROSTER, page=Page(limit=2, cursor=cursor))
            seen += [line["agency"] for line in page["agencies"]]
            cursor = page.get("next")
            await there.reached(await there.tell(agency(f"a-{seen[-1][2:]}x")))
        assert seen == [f"a-{number}" for number in range(7)]
        assert cursor is None
        first = await found(there, ROSTER, page=Page(limit=2))
        with pytest.raises(BadCursor):
            await ask(there, view_of(Roster(), "/blocs"), page=Page(limit=2, cursor=first["next"]))


async def test_ballots_and_years_are_walked_page_by_page(database_url: str) -> None:
    async with place(database_url) as there:
        await there.tell(*told(20, steps=400))
        for built in (False, True):
            if built:
                await rebuild(there.log, there.database, Tallies())
            whole = await found(there, view_of(Tallies(), "/ballots"), page=Page(limit=1000))
            walked: list[Any] = []
            cursor: str | None = None
            while True:
                page = await found(there, view_of(Tallies(), "/ballots"), page=Page(limit=2, cursor=cursor))
                walked += page["ballots"]
                cursor = page.get("next")
                if cursor is None:
                    break
            assert walked == whole["ballots"]
            assert len(walked) > 3


async def test_timeline_is_the_year_in_order_page_by_page(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.timeline.BUCKET", 8)
    monkeypatch.setattr("projections.timeline.BUCKETS_MAX", 3)
    async with place(database_url) as there, running(there):
        await there.reached(await there.tell(*told(21, steps=200)))
        tag = f"year:{BLOCS[0]}/{YEARS[0]}"
        expected = [each.position for each in await there.history() if tag in each.event.tags()]
        for as_of in (None, expected[len(expected) // 2]):
            told_of: list[int] = []
            cursor: str | None = None
            asked_at = None if as_of is None else str(as_of)
            while True:
                page = await found(there, TIMELINE, as_of=asked_at, page=Page(limit=5, cursor=cursor))
                told_of += [event["position"] for event in page["events"]]
                cursor = page.get("next")
                await there.tell(agency(f"z-{len(told_of)}-{as_of}"))
                if cursor is None:
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


async def test_answer_is_what_a_fold_by_hand_says(database_url: str) -> None:
    async with place(database_url) as there, running(there):
        await there.reached(
            await there.tell(
                *told(23),
                BlocEstablished(
                    bloc=BlocId("khoi-moi"),
                    name="Khối mới",
                    aliases=[],
                    kind="khoi",
                    effective_on=LONG_AGO,
                    legal_basis="QĐ",
                ),
            )
        )
        history = await there.history()
        for position in range(6, len(history) + 1, 10):
            state, _ = by_hand(Standings(), history[:position]).get(f"{BLOCS[0]}/{YEARS[0]}", (None, 0))
            answer = await found(there, STANDINGS, as_of=str(position))
            if state is None:
                assert answer is None
            else:
                assert {row["agency"] for row in answer["standings"]} == {
                    handle for handle, member in state.members.items() if member.total() is not None
                }
