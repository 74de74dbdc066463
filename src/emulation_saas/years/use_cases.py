"""Open a bloc's year with its scheme and rules, launch its movement, close it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from emulation_saas.ballots.events import BallotClosed, BallotCounted, BallotOpened
from emulation_saas.blocs.events import BlocEstablished, NoSuchBloc
from emulation_saas.disputes.events import EVENTS as DISPUTE_EVENTS
from emulation_saas.disputes.events import Disputes
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import BallotId, BlocId
from emulation_saas.kernel.rejections import Conflict, NotEmpowered
from emulation_saas.kernel.use_cases import Selector, UseCase
from emulation_saas.nominations.events import NominationResumed
from emulation_saas.years.events import Rules, Scheme, Year, YearClosed, YearLaunched, YearOpened
from emulation_saas.years.schemes import require_sound


class YearAlreadyOpened(Conflict):
    """The year was opened with another scheme or other rules."""

    code = "year-already-opened"


class YearAlreadyLaunched(Conflict):
    """The year was launched with another text."""

    code = "year-already-launched"


class BallotStillOpen(Conflict):
    """A ballot of the year is still open."""

    code = "ballot-still-open"


class DisputePending(Conflict):
    """A dispute of the year is neither decided nor withdrawn."""

    code = "dispute-pending"


class NominationStillRests(Conflict):
    """A nomination rests for a dispute that was upheld: it is still to be resumed, and then to yield or to go on."""

    code = "nomination-still-rests"


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """How far a bloc's year has come."""

    is_bloc_established: bool = False
    year: Year = Year()
    launched_as: str | None = None
    open_ballots: tuple[BallotId, ...] = ()
    disputes: Disputes = Disputes()


@dataclass(frozen=True)
class _OnYear(UseCase[Course]):
    """What is done to a bloc's year as a whole, knowing that year."""

    bloc: BlocId
    year: int

    def facts(self) -> Sequence[Selector]:
        return [Selector(types=[YearOpened, YearLaunched, YearClosed], tags=[f"year:{self.bloc}/{self.year}"])]

    @staticmethod
    def initial() -> Course:
        return Course()

    @staticmethod
    def evolve(view: Course, event: Event) -> Course:
        replace = msgspec.structs.replace
        match event:
            case BlocEstablished():
                return replace(view, is_bloc_established=True)
            case YearOpened() | YearClosed():
                return replace(view, year=view.year.after(event))
            case YearLaunched(text=text):
                return replace(view, year=view.year.after(event), launched_as=text)
            case BallotOpened(ballot=ballot):
                return replace(view, open_ballots=(*view.open_ballots, ballot))
            case BallotClosed(ballot=ended) | BallotCounted(ballot=ended):
                return replace(view, open_ballots=tuple(ballot for ballot in view.open_ballots if ballot != ended))
            case _:
                return replace(view, disputes=view.disputes.after(event))


@dataclass(frozen=True)
class OpenYear(_OnYear):
    """The bloc's year begins, by this scheme and these rules; history is judged by them for ever."""

    scheme: Scheme
    rules: Rules

    def facts(self) -> Sequence[Selector]:
        return [*super().facts(), Selector(types=[BlocEstablished], tags=[f"bloc:{self.bloc}"])]

    def decide(self, view: Course, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.runs(self.bloc, self.year):
            raise NotEmpowered
        if not view.is_bloc_established:
            raise NoSuchBloc
        if (view.year.scheme, view.year.rules) == (self.scheme, self.rules):
            return []
        if view.year.is_opened:
            raise YearAlreadyOpened
        require_sound(self.scheme)
        return [YearOpened(bloc=self.bloc, year=self.year, scheme=self.scheme, rules=self.rules)]


@dataclass(frozen=True)
class LaunchYear(_OnYear):
    """The year's emulation movement is launched, with this text."""

    text: str

    def decide(self, view: Course, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.runs(self.bloc, self.year):
            raise NotEmpowered
        if view.launched_as == self.text:
            return []
        view.year.require_open()
        if view.year.is_launched:
            raise YearAlreadyLaunched
        return [YearLaunched(bloc=self.bloc, year=self.year, text=self.text)]


@dataclass(frozen=True)
class CloseYear(_OnYear):
    """The year is over; nothing of it changes after this."""

    def facts(self) -> Sequence[Selector]:
        types = (BallotOpened, BallotClosed, BallotCounted, *DISPUTE_EVENTS, NominationResumed)
        return [*super().facts(), Selector(types=types, tags=[f"year:{self.bloc}/{self.year}"])]

    def decide(self, view: Course, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.runs(self.bloc, self.year):
            raise NotEmpowered
        if view.year.is_closed:
            return []
        view.year.require_open()
        if view.open_ballots:
            raise BallotStillOpen(", ".join(view.open_ballots))
        if view.disputes.pending:
            raise DisputePending(", ".join(sorted(view.disputes.pending)))
        if resting := view.disputes.resting:
            raise NominationStillRests(", ".join(sorted(resting)))
        return [YearClosed(bloc=self.bloc, year=self.year)]
