"""Whatever is appended and read, the log answers as the library's in-memory recorder does."""

import asyncio
from dataclasses import dataclass
from typing import ClassVar, Final

from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem, DCBRecorder
from eventsourcing.dcb.popo import InMemoryDCBRecorder
from eventsourcing.persistence import IntegrityError
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.log.adapter import Carried, SyncRecorder, bridge
from tests.logs import open_province, running_logs


class CarriedFirst(Carried, frozen=True, kw_only=True):
    """Carries one type of the library."""

    type: ClassVar[str] = "test.carried-first.v1"


class CarriedSecond(Carried, frozen=True, kw_only=True):
    """Carries another."""

    type: ClassVar[str] = "test.carried-second.v1"


OWN: Final = {"first": CarriedFirst, "second": CarriedSecond}
"""The third type is carried as a tag, so that items of tags alone, of types alone and of both are asked."""

TYPES: Final = st.sampled_from(["first", "second", "Third"])
TAGS: Final = st.sampled_from(["a", "b", "Với dấu"])
AFTER: Final = st.none() | st.integers(0, 12)
EVENTS: Final = st.builds(
    DCBEvent, type=TYPES, data=st.binary(max_size=4), tags=st.lists(TAGS, max_size=3, unique=True)
)
QUERIES: Final = st.builds(
    DCBQuery,
    st.lists(
        st.builds(DCBQueryItem, st.lists(TYPES, max_size=2), st.lists(TAGS, max_size=3)),
        max_size=3,
    ),
)


@dataclass(frozen=True)
class Append:
    """An append and what it answers."""

    events: list[DCBEvent]
    condition: DCBAppendCondition | None

    def on(self, recorder: DCBRecorder) -> object:
        try:
            return recorder.append(self.events, self.condition)
        except IntegrityError:
            return "refused"


@dataclass(frozen=True)
class Read:
    """A read and what it answers."""

    query: DCBQuery | None
    after: int | None
    limit: int | None

    def on(self, recorder: DCBRecorder) -> object:
        response = recorder.read(self.query, after=self.after, limit=self.limit)
        return list(response), response.head


OPERATIONS: Final = st.one_of(
    st.builds(
        Append,
        st.lists(EVENTS, min_size=1, max_size=3),
        st.none() | st.builds(DCBAppendCondition, QUERIES, AFTER),
    ),
    st.builds(Read, st.none() | QUERIES, AFTER, st.none() | st.integers(0, 6)),
)


async def test_log_and_reference_agree_step_by_step(database_url: str) -> None:
    async with running_logs(database_url, extra=(Carried, CarriedFirst, CarriedSecond)) as logs:
        run = bridge()
        opened = 0

        # Not shrunk: each step asks a database, so that would take minutes; the steps are printed as they are.
        @settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
        @given(st.lists(OPERATIONS, min_size=4, max_size=14))
        def agree(operations: list[Append | Read]) -> None:
            nonlocal opened
            opened += 1
            ours = SyncRecorder(run, run(open_province(logs, f"p-{opened}")), own=OWN)
            reference = InMemoryDCBRecorder()
            for operation in operations:
                assert operation.on(ours) == operation.on(reference)

        await asyncio.to_thread(agree)
