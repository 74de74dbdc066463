"""What happens to a bloc and its membership, by effective day and legal basis.

`Membership` is the reading that other capabilities share: who is a member on a day. The two refusals that follow from
it (`NoSuchBloc`, `NotAMember`) stand beside it, so that the same fact has one name everywhere.
"""

from datetime import date
from typing import ClassVar, Literal

import msgspec

from emulation_saas.kernel.events import Event, Visibility
from emulation_saas.kernel.ids import AgencyId, BlocId
from emulation_saas.kernel.rejections import Conflict, NotFound

BlocKind = Literal["khoi", "cum"]


class NoSuchBloc(NotFound):
    """No bloc was established under this handle."""

    code = "no-such-bloc"


class NotAMember(Conflict):
    """The agency is no member of the bloc then."""

    code = "not-a-member"


class BlocEvent(Event, frozen=True, kw_only=True):
    """A fact about one bloc, in no year in particular."""

    bloc: BlocId

    def tags(self) -> list[str]:
        """Return the tag of the bloc."""
        return [f"bloc:{self.bloc}"]

    def subject(self) -> str | None:
        """Return the bloc."""
        return f"blocs/{self.bloc}"


class BlocEstablished(BlocEvent, frozen=True, kw_only=True):
    """A decision constituted the bloc."""

    type: ClassVar[str] = "bloc.established.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC
    name: str
    aliases: list[str]
    kind: BlocKind
    effective_on: date
    legal_basis: str


class _MembershipChanged(BlocEvent, frozen=True, kw_only=True):
    agency: AgencyId
    effective_on: date
    legal_basis: str

    def tags(self) -> list[str]:
        """Return the tags of bloc and agency."""
        return [f"bloc:{self.bloc}", f"agency:{self.agency}"]


class MemberAdmitted(_MembershipChanged, frozen=True, kw_only=True):
    """From a day on, the agency is a member."""

    type: ClassVar[str] = "bloc.member-admitted.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC


class MemberWithdrawn(_MembershipChanged, frozen=True, kw_only=True):
    """From a day on, the agency is no member any more."""

    type: ClassVar[str] = "bloc.member-withdrawn.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC
    because: str


class Interval(msgspec.Struct, frozen=True):
    """Days of one membership: from the first up to, not including, the last."""

    start: date
    end: date | None = None

    def covers(self, day: date) -> bool:
        """Tell whether the day lies within."""
        return self.start <= day and (self.end is None or day < self.end)

    def meets(self, first: date, last: date) -> bool:
        """Tell whether a day from the first to the last lies within; none does when it ended as it began."""
        return self.start <= last and (self.end is None or self.end > max(first, self.start))


def spans_after(spans: tuple[Interval, ...], event: MemberAdmitted | MemberWithdrawn) -> tuple[Interval, ...]:
    """Return the intervals of one agency's membership after one more decision."""
    if isinstance(event, MemberAdmitted):
        return (*spans, Interval(event.effective_on))
    return (*spans[:-1], *(Interval(last.start, event.effective_on) for last in spans[-1:]))


class Membership(msgspec.Struct, frozen=True):
    """Who was a member of one bloc, and when. Built by `after` from that bloc's events."""

    established_on: date | None = None
    intervals: dict[AgencyId, tuple[Interval, ...]] = {}

    def after(self, event: Event) -> "Membership":
        """Return the membership after one more fact; other facts change nothing."""
        match event:
            case BlocEstablished(effective_on=day):
                return Membership(day, self.intervals)
            case MemberAdmitted(agency=agency) | MemberWithdrawn(agency=agency):
                spans = spans_after(self.intervals.get(agency, ()), event)
                return Membership(self.established_on, {**self.intervals, agency: spans})
            case _:
                return self

    def require_established(self) -> date:
        """Return the day from which the bloc exists.

        Raises:
            NoSuchBloc: it was never established.
        """
        if self.established_on is None:
            raise NoSuchBloc
        return self.established_on

    def on(self, day: date) -> tuple[AgencyId, ...]:
        """Return the members of a day, in the order of their admission."""
        return tuple(agency for agency, spans in self.intervals.items() if any(span.covers(day) for span in spans))

    def is_member(self, agency: AgencyId, day: date) -> bool:
        """Tell whether the agency is a member that day."""
        return any(span.covers(day) for span in self.intervals.get(agency, ()))

    def in_year(self, year: int) -> tuple[AgencyId, ...]:
        """Return those who were members on some day of a calendar year, in the order of their admission."""
        first, last = date(year, 1, 1), date(year, 12, 31)
        return tuple(
            agency for agency, spans in self.intervals.items() if any(span.meets(first, last) for span in spans)
        )


EVENTS = (BlocEstablished, MemberAdmitted, MemberWithdrawn)
