"""Questions to a real log: now, as of then, on a day, not before a position; with documents kept up or without."""
# ruff: noqa: ANN401 - what stands in for a log or a projection takes what they take

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
import pytest

from emulation_saas.agencies.events import AgencyRenamed
from emulation_saas.blocs.events import BlocEstablished
from emulation_saas.http.bodies import NoSuchMoment
from emulation_saas.kernel.clock import utc_now
from emulation_saas.kernel.events import AnyRecorded
from emulation_saas.kernel.ids import AgencyId, BlocId
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.log import ProvinceLog
from emulation_saas.pledges.events import PledgeSigned
from emulation_saas.projecting.rebuild import rebuild
from emulation_saas.projecting.refusals import AsOfBeyondHead, AsOfInFuture, NoSuchDocument, ProjectionBehind
from projections import PROJECTIONS
from projections.ratings import Ratings
from projections.roster import Roster
from projections.standings import Standings
from tests.database import superuser
from tests.projections.asking import LONG_AGO, PLEDGE, ROSTER, STANDINGS, WHERES, agency, ask, found, view_of
from tests.projections.histories import AGENCIES, BLOCS, OFFICER, YEARS
from tests.projections.live import Place, place, running, told
from tests.projections.test_laws import by_hand
from tests.scenario import NOBODY


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
    read: dict[str, Any] = {
        path: None if answer is None else msgspec.json.decode(answer) for path, answer in answers.items()
    }
    return {path: answer and {name: answer[name] for name in answer if name != "next"} for path, answer in read.items()}


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
        ("2999-01-01T00:00:00Z", AsOfInFuture),
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
            with pytest.raises(AsOfBeyondHead, match=f"now at {head}"):
                await ask(there, ROSTER, min_position=head + 1, wait_max_s=0.1)
            assert (await ask(there, ROSTER, min_position=head, wait_max_s=0.1)).position == head
            await rebuild(there.log, there.database, Roster())
        position = await there.tell(agency("tu-phap"))
        with pytest.raises(ProjectionBehind, match=f"now at {head}"):
            await ask(there, ROSTER, min_position=position, wait_max_s=0.1)


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
        assert before.tag != after.tag
        assert before.tag.startswith(f"p{head}-v1-")
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
        assert not (await ask(there, STANDINGS, as_of=str(second))).is_final, "not everybody may read it"


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

    async def recorded(self, selectors: Sequence[Any] = (), **span: Any) -> Any:
        events = await self._log.recorded(selectors, **span)
        self.read.append((span["after"], len(events)))
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
        assert [after for after, _ in watched.read] == [at - at % 10 for at in without if at % 10]
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
            if isinstance(each.event, Standings.reads) and Standings().keys_of(each) == (f"{BLOCS[0]}/{YEARS[0]}",)
        ]
        assert watched.read == [(0, len(mine))]


class _Stillborn(Ratings):
    """Cannot fold anything."""

    def evolve(self, state: Any, recorded: AnyRecorded) -> Any:
        raise ValueError(state, recorded)


async def test_document_poisoned_by_its_first_event_was_not_there_before(database_url: str) -> None:
    question = view_of(_Stillborn(), "/ratings")
    async with place(database_url) as there:
        before = (await there.log.head()).position
        head = await there.tell(*told(18))
        await rebuild(there.log, there.database, question[0])
        assert "quarantined" in await found(there, question, as_of=str(head))
        assert await found(there, question, as_of=str(before)) is None


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
