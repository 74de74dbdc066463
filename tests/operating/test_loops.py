"""A worker whose loops end or stand still is not ready; what one province suffers takes nobody out of service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from emulation_saas.kernel import cancelling
from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.log import LogGapError, ProvinceLog, ProvinceLogs
from emulation_saas.operating.loops import Loops, Patience
from projections.roster import Roster
from tests.logs import open_province
from tests.operating.test_lags import agency
from tests.projections.live import Place, eventually, place, running

A, B, C = (ProvinceId(UUID(int=number)) for number in range(3))
STALL_S = 60.0


class Clock:
    """Tells the time it is set to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def forever() -> None:
    await asyncio.Event().wait()


async def test_loop_that_ends_is_a_fault_and_is_logged() -> None:
    async def falling() -> None:
        await asyncio.sleep(0)
        raise LookupError

    loops = Loops()
    with capture_logs() as lines:
        async with loops.running(steady=forever(), falling=falling()):
            assert loops.faults() == []
            await asyncio.sleep(0.01)
            assert loops.faults() == ["falling ended"]
    assert [(line["event"], line["loop"], line["log_level"]) for line in lines] == [("loop-ended", "falling", "error")]


async def test_loops_are_cancelled_and_waited_for_at_the_end() -> None:
    ended: list[str] = []

    async def tidy() -> None:
        try:
            await forever()
        finally:
            await asyncio.sleep(0.01)
            ended.append("tidied")

    async with Loops().running(tidy=tidy()):
        await asyncio.sleep(0)
    assert ended == ["tidied"]


async def test_loop_that_takes_its_cancellation_for_a_failure_ends_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cancelling, "CANCEL_AGAIN_S", 0.05)
    failures: list[str] = []

    async def retrying() -> None:
        while not failures:
            with suppress(LookupError):
                await failing_at_the_end()
        await forever()

    async def failing_at_the_end() -> None:
        try:
            await forever()
        finally:
            failures.append("while it was cancelled")
            raise LookupError

    async with asyncio.timeout(5), Loops().running(retrying=retrying()):
        await asyncio.sleep(0)
    assert failures == ["while it was cancelled"]


async def test_what_is_watched_is_a_fault_while_it_stands_still() -> None:
    still: list[bool] = []
    loops = Loops()
    loops.watch("heads", lambda: bool(still))
    assert loops.faults() == []
    still.append(True)
    assert loops.faults() == ["heads stalled"]


class Followed:
    """Provinces whose logs go to position 10, and somebody who follows them."""

    def __init__(self, *provinces: ProvinceId) -> None:
        self.reached = dict.fromkeys(provinces, 10)
        self.clock = Clock()
        self.patience = Patience(lambda: self.reached, lambda _: 10, seconds=STALL_S, clock=self.clock)


def test_standing_still_is_borne_for_so_long_and_no_longer() -> None:
    followed = Followed(A)
    followed.reached[A] = 5
    assert not followed.patience.is_at_end()
    followed.clock.now += STALL_S
    assert not followed.patience.is_at_end()
    followed.clock.now += 0.001
    assert followed.patience.is_at_end()
    followed.reached[A] = 6
    assert not followed.patience.is_at_end(), "it moved"


def test_events_that_came_after_a_long_rest_have_not_waited() -> None:
    followed = Followed(A)
    assert not followed.patience.is_at_end()
    followed.clock.now += 10 * STALL_S
    followed.reached[A] = 5
    assert not followed.patience.is_at_end()


@pytest.mark.parametrize(
    ("still", "others", "at_end"), [([A], [], True), ([A], [B], False), ([A, B], [C], True), ([], [A], False)]
)
def test_half_of_the_provinces_may_stand_still(
    still: list[ProvinceId], others: list[ProvinceId], *, at_end: bool
) -> None:
    followed = Followed(*still, *others)
    followed.reached |= dict.fromkeys(still, 7)
    followed.patience.is_at_end()
    followed.clock.now += STALL_S + 1
    assert followed.patience.is_at_end() == at_end


class _Torn:
    """A log in which the runner always finds a gap."""

    def __init__(self, log: ProvinceLog) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as the log's
        return getattr(self._log, name)

    async def tail(self, after: int) -> AsyncIterator[None]:
        async for page in self._log.tail(after):
            if page:
                raise LogGapError(self._log.handle)
            yield None


class _TornLogs(ProvinceLogs):
    """The logs of all provinces, of which some are torn."""

    def __init__(self, logs: ProvinceLogs, torn: set[str]) -> None:
        self._sound = logs
        self._torn = torn
        self.waker = logs.waker

    async def all(self) -> list[ProvinceLog]:
        torn: Any = _Torn
        return [torn(log) if log.handle in self._torn else log for log in await self._sound.all()]


@pytest.mark.parametrize(("torn", "stalled"), [({"bac-song"}, False), ({"bac-song", "nam-song"}, True)])
async def test_documents_of_one_province_may_stand_still_and_not_those_of_most(
    database_url: str, torn: set[str], *, stalled: bool
) -> None:
    async with place(database_url) as there:
        logs = [there.log, *[(await open_province(there.logs, handle)).log for handle in ("nam-song", "tay-song")]]
        torn_there = Place(_TornLogs(there.logs, torn), there.log, there.database)
        async with running(torn_there, [Roster()]) as runner:

            async def is_built() -> bool:
                return len(runner.reached) == len(logs)

            await eventually(is_built, "not all is built")
            for log in logs:
                await Place(there.logs, log, there.database).tell(agency("noi-vu"))

            head = there.logs.waker.known_head
            patience = Patience(lambda: runner.reached, head, seconds=0.05)

            async def has_settled() -> bool:
                return sum(head(province) > reached for province, reached in runner.reached.items()) == len(torn)

            await eventually(has_settled, "what is sound did not come through")
            patience.is_at_end()
            await asyncio.sleep(0.1)
            assert patience.is_at_end() == stalled


class _Poisonous(Roster):
    """Cannot fold any agency."""

    def evolve(self, state: Any, recorded: Any) -> Any:  # noqa: ANN401 - as the projection's
        if recorded.event.type.startswith("agency."):
            raise LookupError
        return super().evolve(state, recorded)


async def test_quarantined_document_makes_nothing_wait(database_url: str) -> None:
    async with place(database_url) as there, running(there, [_Poisonous()]) as runner:
        position = await there.tell(agency("noi-vu"))
        await there.reached(position, [_Poisonous()])

        async def has_come_through() -> bool:
            return runner.reached.get(there.log.province) == position

        await eventually(has_come_through, "the runner waits for a quarantined document")
