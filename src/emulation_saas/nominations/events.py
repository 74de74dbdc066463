"""What happens between the vote and the Council: the leading unit is acclaimed, members are nominated for awards."""

from typing import ClassVar, Literal

from msgspec import UNSET, UnsetType

from emulation_saas.kernel.events import Visibility, YearEvent
from emulation_saas.kernel.ids import AgencyId, BallotId, NominationId

Award = Literal["gov_flag", "prov_flag", "prov_certificate", "pm_certificate", "excellent_collective"]
Method = Literal["ballot", "show_of_hands", "consensus", "ranking", "not_stated"]


class LeaderAcclaimed(YearEvent, frozen=True, kw_only=True):
    """The bloc acclaimed a leading unit, which need not be the one with the top score."""

    type: ClassVar[str] = "nomination.leader-acclaimed.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC
    agency: AgencyId
    method: Method
    ballot: BallotId | UnsetType = UNSET
    because: str
    """Mandatory where a frozen ranking has another unit on top; else it may be empty."""

    def tags(self) -> list[str]:
        """Return the tags of bloc, year, agency and ballot."""
        tags = [*super().tags(), f"agency:{self.agency}"]
        return tags if self.ballot is UNSET else [*tags, f"ballot:{self.ballot}"]


class NominationEvent(YearEvent, frozen=True, kw_only=True):
    """A fact about one nomination."""

    nomination: NominationId
    agency: AgencyId
    """The nominee."""

    def tags(self) -> list[str]:
        """Return the tags of bloc, year, nomination and nominee."""
        return [*super().tags(), f"nomination:{self.nomination}", f"agency:{self.agency}"]


class NominationMade(NominationEvent, frozen=True, kw_only=True):
    """The bloc nominated a member for an award."""

    type: ClassVar[str] = "nomination.made.v1"
    visibility: ClassVar[Visibility] = Visibility.PARTIES
    award: Award
    ballot: BallotId | UnsetType = UNSET
    because: str
    legal_basis: str


class NominationYielded(NominationEvent, frozen=True, kw_only=True):
    """The nominee withdrew in favour of others."""

    type: ClassVar[str] = "nomination.yielded.v1"
    visibility: ClassVar[Visibility] = Visibility.PARTIES
    because: str


class NominationSuspended(NominationEvent, frozen=True, kw_only=True):
    """The nomination rests, as while a case is open."""

    type: ClassVar[str] = "nomination.suspended.v1"
    visibility: ClassVar[Visibility] = Visibility.PARTIES
    because: str


class NominationResumed(NominationEvent, frozen=True, kw_only=True):
    """The nomination goes on; the vote is not repeated."""

    type: ClassVar[str] = "nomination.resumed.v1"
    visibility: ClassVar[Visibility] = Visibility.PARTIES
    because: str


class NominationForwarded(NominationEvent, frozen=True, kw_only=True):
    """The nomination went to the standing body, under a submission's number."""

    type: ClassVar[str] = "nomination.forwarded.v1"
    visibility: ClassVar[Visibility] = Visibility.PARTIES
    document_no: str


EVENTS = (
    LeaderAcclaimed,
    NominationMade,
    NominationYielded,
    NominationSuspended,
    NominationResumed,
    NominationForwarded,
)
