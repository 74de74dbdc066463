"""Documents kept up with a real log: by one runner or two, killed or poisoned, they are what a fold by hand says."""
# ruff: noqa: ANN401 - what stands in for a log or a projection takes what they take

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from time import monotonic
from typing import Any, ClassVar

import msgspec
import pytest

from emulation_saas.agencies.events import AgencyRegistered
from emulation_saas.kernel.events import AnyRecorded
from emulation_saas.kernel.ids import AgencyId
from emulation_saas.log import LogGapError, ProvinceLog, ProvinceLogs
from emulation_saas.postgres.database import open_database
from emulation_saas.projecting import AnyProjection, Runner
from emulation_saas.projecting.rebuild import rebuild
from emulation_saas.projecting.storing import Checkpoints, Store
from emulation_saas.ratings.events import RatingReceived
from projections import PROJECTIONS
from projections.ratings import Ratings
from projections.roster import Roster
from projections.standings import Standings
from projections.timeline import Timeline
from tests.logs import open_province
from tests.projections.live import Place, eventually, place, running, told
from tests.projections.test_laws import by_hand, states_of


def agency(handle: str) -> AgencyRegistered:
    return AgencyRegistered(agency=AgencyId(handle), name=handle, aliases=[], effective_on=date(2020, 1, 1))


async def assert_true(there: Place, projections: Sequence[AnyProjection] = PROJECTIONS) -> None:
    """Demand that live, rebuilt and folded by hand are the same, to the byte."""
    history = await there.history()
    for projection in projections:
        live = await there.stored(projection)
        assert states_of(live) == by_hand(projection, history)
        await rebuild(there.log, there.database, projection)
        rebuilt = await there.stored(projection)
        assert states_of(rebuilt) == states_of(live)
        assert {key: projection.encode(each.state) for key, each in rebuilt.items()} == {
            key: projection.encode(each.state) for key, each in live.items()
        }


async def test_live_is_rebuilt_is_folded_by_hand(database_url: str) -> None:
    async with place(database_url) as there, running(there):
        for seed in range(3):
            for event in told(seed, steps=15):
                await there.tell(event)
            position = await there.tell(*told(seed))
            await there.reached(position)
            await assert_true(there)


async def test_two_runners_at_once_do_each_thing_once(database_url: str) -> None:
    async with place(database_url) as there, running(there), running(there), running(there):
        for seed in range(4):
            await there.tell_one_by_one(told(seed, steps=40))
        await there.reached((await there.log.head()).position)
        await assert_true(there)


class _Dying(Runner):
    """A runner whose process dies after its documents are written and before its checkpoint is."""

    deaths: ClassVar[int] = 0

    async def _fold_into(
        self, store: Store, behind: Sequence[AnyProjection], reached: Checkpoints, batch: Sequence[AnyRecorded]
    ) -> None:
        await super()._fold_into(store, behind, reached, batch)
        if type(self).deaths < 3:
            type(self).deaths += 1
            raise ConnectionResetError


async def test_runner_killed_between_effect_and_checkpoint_leaves_no_trace(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulation_saas.projecting.runner.RETRY_MAX_S", 0.0)
    async with place(database_url) as there, running(there, runner=_Dying):
        await there.tell(*told(1))
        await eventually(_has_died, "it was not killed")
        await there.tell(*told(2))
        await there.reached((await there.log.head()).position)
        await assert_true(there)


class _Hindered(Runner):
    """A runner in whose way something stands when it is told to end."""

    async def keep_up(self, log: ProvinceLog) -> None:
        try:
            await super().keep_up(log)
        except asyncio.CancelledError:
            raise ConnectionResetError from None


async def test_runner_ends_when_told_to_whatever_stands_in_its_way(database_url: str) -> None:
    async with place(database_url) as there, running(there, runner=_Hindered):
        await there.reached((await there.log.head()).position)


async def _has_died() -> bool:
    return _Dying.deaths == 3


async def test_runner_stops_promptly_with_work_in_hand(database_url: str) -> None:
    async with place(database_url) as there:
        async with running(there):
            await there.reached(1)
            telling = asyncio.create_task(there.tell(*told(1, steps=2000)))
            await asyncio.sleep(0.1)
            stopping_at = monotonic()
        assert monotonic() - stopping_at < 2
        await telling
        async with running(there):
            await there.reached((await there.log.head()).position)
            await assert_true(there)


async def test_new_province_is_found_by_itself(database_url: str) -> None:
    async with place(database_url) as there, running(there):
        other = await open_province(there.logs, "nam-song")
        elsewhere = replace(there, log=other.log)
        await elsewhere.reached(await elsewhere.tell(agency("cong-thuong")))
        assert AgencyId("cong-thuong") in (await elsewhere.stored(Roster()))["all"].state.agencies
        assert AgencyId("cong-thuong") not in (await there.stored(Roster()))["all"].state.agencies


class _Stumbling(Ratings):
    """Cannot fold a member's rating."""

    def evolve(self, state: Any, recorded: AnyRecorded) -> Any:
        if isinstance(recorded.event, RatingReceived):
            raise LookupError("đơn vị lạ\x00")  # noqa: TRY004 - as a fold would fail
        return super().evolve(state, recorded)


async def test_poisoned_event_quarantines_its_document_and_stops_nothing_else(database_url: str) -> None:
    projections = [*(each for each in PROJECTIONS if each.name != "ratings"), _Stumbling()]
    async with place(database_url) as there, running(there, projections):
        for event in told(3):
            await there.tell(event)
        await there.reached((await there.log.head()).position, projections)
        await assert_true(there, projections[:-1])
        history = await there.history()
        first: dict[str, int] = {}
        for recorded in history:
            if isinstance(recorded.event, RatingReceived):
                first.setdefault(f"{recorded.event.bloc}/{recorded.event.year}", recorded.position)
        live = await there.stored(_Stumbling())
        whole = by_hand(Ratings(), history)
        assert len(first) > 1
        assert set(live) == set(whole)
        for key, folded in live.items():
            if key in first:
                before = by_hand(Ratings(), history[: first[key] - 1]).get(key, (Ratings().initial(), 0))
                assert (folded.state, folded.position) == before
                assert (folded.stopped_at, folded.reason) == (first[key], "LookupError: đơn vị lạ")
            else:
                assert (folded.state, folded.position) == whole[key]
                assert not folded.is_quarantined
        await rebuild(there.log, there.database, _Stumbling())
        again = await there.stored(_Stumbling())
        assert again == {
            key: msgspec.structs.replace(folded, stored_at=folded.position) for key, folded in live.items()
        }
        await rebuild(there.log, there.database, Ratings())
        lifted = await there.stored(Ratings())
        assert states_of(lifted) == whole
        assert not any(folded.is_quarantined for folded in lifted.values())


async def test_document_that_cannot_be_written_stays_as_it_was(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place(database_url) as there, running(there, [Roster(), Standings()]):
        position = await there.tell(agency("noi-vu"))
        await there.reached(position, [Roster()])
        monkeypatch.setattr("emulation_saas.projecting.folding.DOCUMENT_BYTES_MAX", 300)
        last = await there.tell(*(agency(f"a-{number}") for number in range(20)))
        await there.reached(last, [Roster(), Standings()])
        (folded,) = (await there.stored(Roster())).values()
        assert (folded.position, folded.stopped_at) == (position, position + 1)
        assert folded.reason.startswith("DocumentTooLargeError: ")
        assert list(folded.state.agencies) == ["noi-vu"]
        monkeypatch.undo()
        await rebuild(there.log, there.database, Roster())
        assert len((await there.stored(Roster()))["all"].state.agencies) == 21


class _Second(Roster):
    """The next version."""

    version: ClassVar[int] = 2


class _Third(Roster):
    """The one after it."""

    version: ClassVar[int] = 3


async def test_next_version_is_built_beside_and_the_one_before_stays(database_url: str) -> None:
    async with place(database_url) as there:
        async with running(there, [Roster()]):
            await there.reached(await there.tell(agency("noi-vu")), [Roster()])
        position = await there.tell(agency("tu-phap"))
        async with running(there, [Roster()]), running(there, [_Second()]):
            await there.reached(position, [Roster()])
            await there.reached(position, [_Second()])
            assert states_of(await there.stored(Roster())) == states_of(await there.stored(_Second()))
        async with running(there, [_Third()]):
            await there.reached(position, [_Third()])
            await eventually(lambda: _is_gone(there, Roster()), "the first version is still there")
        assert await there.checkpoint(_Second()) == position
        assert await there.stored(Roster()) == {}


async def _is_gone(there: Place, projection: AnyProjection) -> bool:
    return await there.checkpoint(projection) == -1


async def test_rebuild_under_load_loses_nothing(database_url: str) -> None:
    async with place(database_url) as there, running(there):
        telling = asyncio.create_task(there.tell_one_by_one(told(5, steps=300)))
        for _ in range(3):
            for projection in PROJECTIONS:
                await rebuild(there.log, there.database, projection)
        await telling
        await there.reached((await there.log.head()).position)
        await assert_true(there)


class _Behind:
    """A log that moves on after it has said where it stands."""

    def __init__(self, log: ProvinceLog, head: Any) -> None:
        self._log = log
        self._head = head

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def head(self) -> Any:
        return self._head


async def test_rebuild_does_not_go_back_behind_what_was_kept_up_meanwhile(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulation_saas.projecting.storing.WRITE_BYTES_MAX", 10)
    async with place(database_url) as there:
        behind: Any = _Behind(there.log, await there.log.head())
        position = await there.tell(*told(9))
        await rebuild(there.log, there.database, Standings())
        rebuilt = await rebuild(behind, there.database, Standings())
        assert rebuilt.position == position == await there.checkpoint(Standings())
        assert states_of(await there.stored(Standings())) == by_hand(Standings(), await there.history())


async def test_rebuild_holds_no_connection_while_it_reads_the_log(database_url: str) -> None:
    async with place(database_url) as there, open_database(database_url, app_max=1) as narrow:

        class Watched(_Behind):
            """A log that is read only while the rebuild's own connection is free."""

            async def recorded(self, *asked: Any, **bounds: Any) -> Any:
                assert narrow.app.get_idle_size() == narrow.app.get_size()
                return await self._log.recorded(*asked, **bounds)

        watched: Any = Watched(there.log, await there.log.head())
        position = await there.tell(*told(9))
        await rebuild(there.log, there.database, Standings())
        rebuilt = await rebuild(watched, narrow, Standings())
        assert rebuilt.position == position


class _Deaf(ProvinceLogs):
    """Does not know its provinces at first, as when the database is restarted."""

    def __init__(self, logs: ProvinceLogs) -> None:
        self._heard = logs
        self.waker = logs.waker
        self.asked = 0

    async def all(self) -> list[ProvinceLog]:
        self.asked += 1
        if self.asked == 1:
            raise ConnectionResetError
        return await self._heard.all()


async def test_runner_outlives_a_database_that_does_not_answer(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulation_saas.projecting.runner.PROVINCES_EVERY_S", 0.05)
    async with place(database_url) as there:
        deaf = _Deaf(there.logs)
        async with running(replace(there, logs=deaf)):
            await there.reached(await there.tell(agency("noi-vu")))
        assert deaf.asked > 1


async def test_two_first_rebuilds_at_once_lose_nothing(database_url: str) -> None:
    async with place(database_url) as there:
        await there.tell(*told(6))
        seen: list[tuple[int, int]] = []

        def see(reached: int, of: int) -> None:
            seen.append((reached, of))

        done = await asyncio.gather(*(rebuild(there.log, there.database, Timeline(), progress=see) for _ in range(4)))
        head = (await there.log.head()).position
        assert seen[-1] == (head, head)
        assert {each.position for each in done} == {head}
        assert states_of(await there.stored(Timeline())) == by_hand(Timeline(), await there.history())


async def test_rebuild_reads_sparse_and_dense_windows(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulation_saas.projecting.replaying.WINDOW", 20)
    monkeypatch.setattr("emulation_saas.projecting.replaying.SLICE", 3)
    async with place(database_url) as there:
        await there.tell(*told(7))
        for projection in PROJECTIONS:
            rebuilt = await rebuild(there.log, there.database, projection)
            history = await there.history()
            assert rebuilt.events == sum(isinstance(each.event, projection.reads) for each in history)
            assert states_of(await there.stored(projection)) == by_hand(projection, history)


class _Skipping:
    """A log whose reader has lost an event."""

    def __init__(self, log: ProvinceLog) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def tail(self, after: int) -> Any:
        async for page in self._log.tail(after):
            yield [recorded for recorded in page if recorded.position % 7]


async def test_gap_is_said_and_never_folded_over(database_url: str) -> None:
    async with place(database_url) as there:
        runner = Runner(there.logs, there.database, [Roster()])
        await rebuild(there.log, there.database, Roster())
        before = await there.checkpoint(Roster())
        await there.tell(*(agency(f"a-{number}") for number in range(20)))
        skipping: Any = _Skipping(there.log)
        with pytest.raises(LogGapError, match="came where"):
            await runner.keep_up(skipping)
        assert await there.checkpoint(Roster()) == before


async def test_checkpoint_behind_the_events_in_hand_is_a_gap(database_url: str) -> None:
    class Ahead(Runner):
        """Believes to be further than it is."""

        async def _begin(self, log: ProvinceLog) -> int:
            return await super()._begin(log) + 2

    async with place(database_url) as there:
        await rebuild(there.log, there.database, Roster())
        await there.tell(*(agency(f"a-{number}") for number in range(5)))
        with pytest.raises(LogGapError, match="stands at"):
            await Ahead(there.logs, there.database, [Roster()]).keep_up(there.log)


async def test_snapshots_are_kept_while_live_and_by_a_rebuild(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulation_saas.projecting.folding.SNAPSHOT_EVERY", 10)
    monkeypatch.setattr("emulation_saas.projecting.runner.SNAPSHOT_EVERY", 10)
    async with place(database_url) as there:
        async with running(there, [Roster(), Standings()]):
            for event in told(8, steps=60):
                await there.tell(event)
            await there.reached((await there.log.head()).position, [Roster(), Standings()])
        live = await _snapshots(there)
        await rebuild(there.log, there.database, Roster())
        assert await _snapshots(there) == live
        assert set(live) == set(range(10, (await there.log.head()).position + 1, 10))


async def _snapshots(there: Place) -> dict[int, bytes]:
    async with there.database.in_province(there.log.province) as connection:
        rows = await connection.fetch("SELECT position, document FROM snapshots")
    return {row["position"]: row["document"] for row in rows}
