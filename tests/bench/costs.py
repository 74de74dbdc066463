"""What single operations of the service cost on one province's log, asked one by one, at random places."""

import random
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from time import perf_counter
from typing import Final
from uuid import uuid4

from msgspec import UNSET

from emulation_saas.agencies.use_cases import RegisterAgency
from emulation_saas.audit.exports import Span, exported
from emulation_saas.audit.signing import Signer
from emulation_saas.ballots.events import Choice, VoteCast
from emulation_saas.ballots.use_cases import CastVote
from emulation_saas.generating.provinces import YEAR_NOW, Plan
from emulation_saas.generating.under_way import OPTIONS, QUESTION
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId, PersonId
from emulation_saas.kernel.use_cases import Acting, Selector
from emulation_saas.log import ProvinceLog, ProvinceLogs
from emulation_saas.postgres.database import Database, open_database
from emulation_saas.projecting.explaining import Wanted, explain
from emulation_saas.projecting.finding import Finder
from emulation_saas.projecting.reading import Query, Reader
from emulation_saas.scoring.events import ScoreAppraised
from emulation_saas.streams.pages import read_page
from emulation_saas.streams.sights import Sight
from projections import PROJECTIONS
from tests.bench.growing import BLOCS_A_COPY
from tests.logs import logs_of
from tests.scenario import ADMIN

PAGE: Final = 1_000
_SINCE: Final = date(2020, 1, 1)


@dataclass(frozen=True)
class Place:
    """A bloc's year somewhere in the log, one of its members, and a position in the middle of its appraisals."""

    bloc: BlocId
    year: int
    agency: AgencyId
    middle: int

    @property
    def path(self) -> str:
        """Where its standings are."""
        return f"/blocs/{self.bloc}/years/{self.year}/standings"


@dataclass
class Grown:
    """One province at one size, as a process of the service has it."""

    name: str
    url: str
    database: Database
    logs: ProvinceLogs
    log: ProvinceLog
    plan: Plan
    copies: int
    chance: random.Random
    head: int = 0
    votes: Counter[str] = field(default_factory=Counter)

    @property
    def admin(self) -> PersonId:
        """The administrator."""
        return self.plan.roster().admin

    def bloc(self) -> tuple[int, BlocId]:
        """Draw a bloc: its number in the history that all are copies of, and its own handle."""
        number, copy = self.chance.randint(1, self.plan.blocs), self.chance.randint(0, self.copies)
        return number, BlocId(f"khoi-{number + copy * BLOCS_A_COPY:04d}")

    async def place(self) -> Place:
        """Draw a place among the closed years."""
        _, bloc = self.bloc()
        year = self.chance.choice(self.plan.closed)
        appraised = await self.log.recorded([Selector(types=[ScoreAppraised], tags=[f"year:{bloc}/{year}"])])
        chosen = appraised[len(appraised) // 2]
        return Place(bloc, year, chosen.event.agency, chosen.position)


@asynccontextmanager
async def grown(name: str, url: str, plan: Plan, copies: int, seed: int) -> AsyncGenerator[Grown]:
    """Lend a province at one size."""
    async with open_database(url, app_max=8) as database, logs_of(database) as logs:
        log = await logs.find(plan.province)
        assert log is not None
        chance = random.Random(seed)  # noqa: S311 - a case
        there = Grown(name, url, database, logs, log, plan, copies, chance)
        there.head = (await log.head()).position
        yield there


Ask = Callable[[], Awaitable[object]]
"""One operation, ready to be timed; what it needs has been drawn."""


async def append(there: Grown) -> Ask:
    """One command that nobody else waits with, decided and on the disk, under an idempotency key."""
    registering, by = _registering(there)
    return lambda: there.log.execute(registering, by=by)


def _registering(there: Grown) -> tuple[RegisterAgency, Acting]:
    """Return the registration of one more agency, which every run calls differently."""
    handle = AgencyId(f"moi-{uuid4().hex}")
    registering = RegisterAgency(agency=handle, name="Đơn vị mới", aliases=(), code=UNSET, effective_on=_SINCE)
    return registering, Acting(there.admin, handle, bytes(32))


async def vote(there: Grown) -> Ask:
    """A vote in a roll call that is in use: its facts are in memory."""
    casting, by = _vote(there)
    await there.log.execute(casting, by=by)
    again, by = _vote(there, casting.bloc)
    return lambda: there.log.execute(again, by=by)


async def first_vote(there: Grown) -> Ask:
    """A vote in a roll call of which this process knows nothing: its facts are read from the log."""
    logs = logs_of(there.database)
    fresh = await (await logs.__aenter__()).find(there.plan.province)
    assert fresh is not None
    await fresh.authority(there.admin, is_newest=True)
    casting, by = _vote(there)

    async def ask() -> None:
        await fresh.execute(casting, by=by)
        await logs.__aexit__(None, None, None)

    return ask


def _vote(there: Grown, bloc: BlocId | None = None) -> tuple[CastVote, Acting]:
    """Return a vote of a bloc's first member, the other way than before, so that it is an event."""
    number, drawn = there.bloc()
    if bloc is not None:
        number, drawn = (int(bloc.removeprefix("khoi-")) - 1) % BLOCS_A_COPY + 1, bloc
    voter = there.plan.bloc(there.plan.roster(), number).members(YEAR_NOW, at_end=True)[0]
    there.votes[drawn] += 1
    option = OPTIONS[there.votes[drawn] % 2]
    casting = CastVote(
        bloc=drawn,
        year=YEAR_NOW,
        ballot=BallotId(f"{drawn}-{YEAR_NOW}-bieu-quyet"),
        agency=voter.agency,
        choices=(Choice(question=QUESTION, options=[option]),),
    )
    return casting, Acting(voter.representative, uuid4().hex, bytes(32))


async def standings(there: Grown) -> Ask:
    """The standings of a closed year, as they are now."""
    return _standings(there, await there.place(), Query())


async def standings_as_of(there: Grown) -> Ask:
    """The same as of the middle of that year's appraisals: folded from the log."""
    place = await there.place()
    return _standings(there, place, Query(as_of=str(place.middle)))


def _standings(there: Grown, place: Place, query: Query) -> Ask:
    named = Finder(there.database, PROJECTIONS).named(place.path, ADMIN)
    reader = Reader(there.database)
    return lambda: reader.read(there.log, ADMIN, (named.projection, named.view), named.where, query)


async def explained(there: Grown) -> Ask:
    """A member's rank, down to the events that it rests on."""
    place = await there.place()
    wanted, finder = Wanted(path=place.path, figure=f"rank/{place.agency}"), Finder(there.database, PROJECTIONS)
    return lambda: explain(finder, there.log, ADMIN, wanted)


async def page(there: Grown) -> Ask:
    """A page of the feed from anywhere."""
    after, sight = there.chance.randint(0, max(0, there.head - PAGE)), Sight(there.log, ADMIN)
    return lambda: read_page(there.log, sight, after=after, limit=PAGE)


async def export_begun(there: Grown) -> Ask:
    """The first bytes of an export of everything, with a checkpoint signed for it."""
    head = (await there.log.head()).position

    async def ask() -> None:
        pieces = exported(Signer(there.database), there.log, Span.of(1, head))
        for _ in range(4):  # checkpoint, key, what it is, the first tile
            await anext(pieces)
        await pieces.aclose()

    return ask


async def proof(there: Grown) -> Ask:
    """An inclusion proof of any event, in a tree of any size."""
    size = there.chance.randint(1, there.head)
    position = there.chance.randint(1, size)
    return lambda: there.log.tree.inclusion(position, size)


async def moment_found(there: Grown) -> Ask:
    """The position at an instant."""
    (recorded,) = await there.log.at([there.chance.randint(1, there.head)])
    return lambda: there.log.position_at(recorded.recorded_at)


async def powers_then(there: Grown) -> Ask:
    """What somebody might do when he acted: asked with each dispute that is filed."""
    _, bloc = there.bloc()
    cast = await there.log.recorded([Selector(types=[VoteCast], tags=[f"ballot:{bloc}-{YEAR_NOW}-bieu-quyet"])])
    acts = {(cast[0].position, PersonId(cast[0].actor))}
    return lambda: there.log.authorities_at(acts)


async def first_command(there: Grown) -> Ask:
    """The first command of a process that has just started."""
    registering, by = _registering(there)

    async def ask() -> None:
        async with logs_of(there.database) as logs:
            log = await logs.find(there.plan.province)
            assert log is not None
            await log.execute(registering, by=by)

    return ask


OPERATIONS: Final[dict[str, tuple[Callable[[Grown], Awaitable[Ask]], str, int]]] = {
    "append": (append, "one command alone, decided and on the disk", 60),
    "vote": (vote, "a vote in a roll call in use", 60),
    "first_vote": (first_vote, "the first vote that a process takes in a roll call", 20),
    "standings": (standings, "standings of a bloc's year", 60),
    "standings_as_of": (standings_as_of, "standings as of a position in the middle", 40),
    "explain": (explained, "a rank explained down to its events", 30),
    "feed_page": (page, f"a page of {PAGE} events of the feed", 30),
    "export_start": (export_begun, "an export's checkpoint and first tile", 20),
    "proof": (proof, "inclusion proof, any event in any size", 60),
    "position_at": (moment_found, "the position at an instant", 60),
    "powers_then": (powers_then, "who acted for whom then (filing a dispute)", 5),
    "first_command": (first_command, "a new process's first command", 3),
}
"""Each operation: how it is drawn, what it is, how often it is asked at each size."""


async def took_ms(there: Grown, name: str) -> float:
    """Draw an operation, do it, and return how long doing it took."""
    ask = await OPERATIONS[name][0](there)
    began = perf_counter()
    await ask()
    return (perf_counter() - began) * 1_000
