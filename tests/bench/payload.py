"""One recorded vote as it is stored: what a stock recorder is given to store, and what the bare handler answers."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from emulation_saas.ballots.events import Choice, VoteCast
from emulation_saas.kernel.ids import AgencyId, BallotId, PersonId, ProvinceId
from emulation_saas.log import Codec, Registry
from emulation_saas.log.codec import Place
from tests.bench.world import BLOC, OPTIONS, QUESTION, YEAR

EVENT: Final = VoteCast(
    bloc=BLOC,
    year=YEAR,
    ballot=BallotId("phieu-0"),
    agency=AgencyId("so-10"),
    choices=[Choice(question=QUESTION, options=[OPTIONS[0]])],
)
EVENT_BODY: Final = Codec(Registry([VoteCast])).encode(
    EVENT,
    Place(
        province=ProvinceId(UUID(int=1)),
        position=5_000,
        recorded_at=datetime(2024, 1, 30, 2, 0, 5, 123_456, tzinfo=UTC),
        time=None,
        actor=PersonId("p-aaaaaaaaaa"),
        command_id=UUID(int=2),
        salt=bytes(16),
    ),
    None,
)
