"""Events that a projection cannot fold: their documents stand still and say so, and nothing else does.

Method. Provinces are told random histories, while two processes' worth of runners keep their documents up and are ended
and begun again at random. One projection cannot fold ratings. In the end each document that a rating belongs to must
stand at the position before the first of them, quarantined with its reason; every other document, of this projection
and of all others, must be what its events say; and a rebuild by a projection that can fold them must lift it all. The
mutant's projection passes over what it cannot fold.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any, Final

from emulation_saas.kernel.cancelling import end
from emulation_saas.kernel.events import AnyRecorded
from emulation_saas.postgres.database import open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.projecting import AnyProjection, Runner
from emulation_saas.projecting.rebuild import rebuild
from emulation_saas.ratings.events import RatingReceived
from projections import PROJECTIONS
from projections.ratings import Ratings
from tests.database import fresh_database, start_database
from tests.faults.trials import Experiment, Outcome, Say, chance
from tests.logs import open_province, running_logs
from tests.projections.live import Place, told
from tests.projections.test_laws import by_hand, states_of

RUNNERS: Final = 2
ENDED_EVERY_S: Final = 0.3


class Stumbling(Ratings):
    """Cannot fold a rating."""

    def evolve(self, state: Any, recorded: AnyRecorded) -> Any:  # noqa: ANN401 - as what it stands for
        if isinstance(recorded.event, RatingReceived):
            raise LookupError(recorded.event.agency)  # noqa: TRY004 - as a fold would fail
        return super().evolve(state, recorded)


class Careless(Ratings):
    """Passes over ratings, as if nothing had been there."""

    def evolve(self, state: Any, recorded: AnyRecorded) -> Any:  # noqa: ANN401 - as above
        return state if isinstance(recorded.event, RatingReceived) else super().evolve(state, recorded)


async def poisons(tries: int, place: Path, say: Say, *, is_mutant: bool) -> Outcome:
    """Tell so many provinces."""
    server = await asyncio.to_thread(start_database, place)
    try:
        return await poisoned(server, tries, say, is_mutant=is_mutant)
    finally:
        await asyncio.to_thread(server.stop)


async def poisoned(server: EmbeddedPostgres, tries: int, say: Say, *, is_mutant: bool) -> Outcome:
    """Tell so many provinces, with a database of a server."""
    outcome = Outcome()
    url = await fresh_database(server)
    bad: AnyProjection = Careless() if is_mutant else Stumbling()
    kept = [*(each for each in PROJECTIONS if each.name != bad.name), bad]
    async with running_logs(url) as logs, open_database(url) as database:
        places = [Place(logs, (await open_province(logs, f"tinh-{n}")).log, database) for n in range(tries)]
        runners = [asyncio.create_task(_restarted(url, kept, number)) for number in range(RUNNERS)]
        try:
            for number, there in enumerate(places):
                events = told(number)
                await there.tell_one_by_one(events)
                outcome.acknowledged += len(events)
                say(f"{number + 1} of {tries} provinces told")
            began_s = monotonic()
            for there in places:
                await there.reached((await there.log.head()).position, kept)
            outcome.worst_gap_s = monotonic() - began_s
        finally:
            await end(runners)
        for there in places:
            await _compare(there, kept, outcome)
    return outcome


async def _restarted(url: str, projections: Sequence[AnyProjection], number: int) -> None:
    """Keep documents up as one process does, which is ended in the middle and begun again, until cancelled."""
    rng = chance(f"runner-{number}")
    while True:
        async with running_logs(url) as logs, open_database(url) as database:
            running = asyncio.create_task(Runner(logs, database, projections, pace_s=0.0).run())
            try:
                await asyncio.sleep(rng.uniform(0.5, 2) * ENDED_EVERY_S * 5)
            finally:
                await end([running])


async def _compare(there: Place, kept: Sequence[AnyProjection], outcome: Outcome) -> None:
    """Hold a province's documents against its events."""
    history, wrong = await there.history(), outcome.found.wrong
    outcome.found.gaps += sum(each.position != place for place, each in enumerate(history, 1))
    for projection in kept[:-1]:
        if states_of(await there.stored(projection)) != by_hand(projection, history):
            wrong.append(f"{there.log.handle}: {projection.name} is not what its events say")
    first: dict[str, int] = {}
    for recorded in history:
        if isinstance(recorded.event, RatingReceived):
            first.setdefault(f"{recorded.event.bloc}/{recorded.event.year}", recorded.position)
    outcome.tries += len(first)
    whole = by_hand(Ratings(), history)
    for key, folded in (await there.stored(kept[-1])).items():
        stops = first.get(key)
        expected = (
            whole[key] if stops is None else by_hand(Ratings(), history[: stops - 1]).get(key, (Ratings().initial(), 0))
        )
        if (folded.state, folded.position) != expected or folded.is_quarantined != (stops is not None):
            wrong.append(f"{there.log.handle}: {key} does not stand where it was poisoned")
    await rebuild(there.log, there.database, Ratings())
    if states_of(await there.stored(Ratings())) != whole:
        wrong.append(f"{there.log.handle}: the rebuild did not lift the quarantine")


EXPERIMENTS: Final = {
    "poison": Experiment(poisons, 12, 2, "a projection that passes over what it cannot fold", mutant_tries=2)
}
