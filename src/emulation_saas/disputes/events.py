"""What happens to a dispute: filed against named events, supported, answered, upheld, refused or withdrawn.

`Disputes` is the reading that other capabilities share: which are pending, and which nominations rest because of them.
"""

from datetime import date
from typing import ClassVar, Literal

import msgspec
from msgspec import UNSET, UnsetType

from emulation_saas.kernel.events import Event, Visibility, YearEvent
from emulation_saas.kernel.ids import AgencyId, DisputeId, NominationId, PersonId
from emulation_saas.nominations.events import NominationResumed
from emulation_saas.scoring.events import Evidence

About = Literal["score", "rating", "vote", "nomination", "membership"]


class DisputedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that is contested: where it stands, what it is, who did it for whom and which agency it concerns."""

    position: int
    type: str
    actor: PersonId
    acted_for: list[AgencyId]
    """Agencies that the actor represented when it happened, sorted. Nobody of theirs decides the dispute."""
    agency: AgencyId | UnsetType = UNSET


class DisputeEvent(YearEvent, frozen=True, kw_only=True):
    """A fact about one dispute."""

    dispute: DisputeId
    agency: AgencyId
    """Whose dispute it is."""

    def tags(self) -> list[str]:
        """Return the tags of bloc, year, filing agency and dispute."""
        return [*super().tags(), f"agency:{self.agency}", f"dispute:{self.dispute}"]


class DisputeFiled(DisputeEvent, frozen=True, kw_only=True):
    """A member contested what these events say."""

    type: ClassVar[str] = "dispute.filed.v1"
    visibility: ClassVar[Visibility] = Visibility.PARTIES
    filed_by: PersonId
    """Who filed it, or entered it from paper: whatever office this person holds later, it is not his to decide."""
    about: About
    events: list[DisputedEvent]
    text: str
    evidence: list[Evidence]
    nomination: NominationId | UnsetType = UNSET
    """The nomination that rests while this is pending, by the year's rules."""
    answer_by: date | UnsetType = UNSET
    """The last day of the term that the year's rules set, in Vietnam; absent where they set none."""


class DisputeEvidenceAdded(DisputeEvent, frozen=True, kw_only=True):
    """The filing agency brought more evidence."""

    type: ClassVar[str] = "dispute.evidence-added.v1"
    visibility: ClassVar[Visibility] = Visibility.PARTIES
    evidence: list[Evidence]


class DisputeAnswered(DisputeEvent, frozen=True, kw_only=True):
    """Somebody disputed, or who runs the year, explained what is contested; several may."""

    type: ClassVar[str] = "dispute.answered.v1"
    visibility: ClassVar[Visibility] = Visibility.PARTIES
    text: str


class DisputeUpheld(DisputeEvent, frozen=True, kw_only=True):
    """The dispute was found right; corrections that name it follow."""

    type: ClassVar[str] = "dispute.upheld.v1"
    visibility: ClassVar[Visibility] = Visibility.PARTIES
    reasons: str


class DisputeRefused(DisputeEvent, frozen=True, kw_only=True):
    """The dispute was found wrong: what was contested stands."""

    type: ClassVar[str] = "dispute.refused.v1"
    visibility: ClassVar[Visibility] = Visibility.PARTIES
    reasons: str


class DisputeWithdrawn(DisputeEvent, frozen=True, kw_only=True):
    """The filing agency does not insist."""

    type: ClassVar[str] = "dispute.withdrawn.v1"
    visibility: ClassVar[Visibility] = Visibility.PARTIES


EVENTS = (DisputeFiled, DisputeEvidenceAdded, DisputeAnswered, DisputeUpheld, DisputeRefused, DisputeWithdrawn)


class Disputes(msgspec.Struct, frozen=True):
    """How the disputes of a bloc's year bear on other things. Built by `after` from that year's events."""

    pending: frozenset[DisputeId] = frozenset()
    holding: dict[NominationId, frozenset[DisputeId]] = {}
    """Suspended nominations, each with the disputes for which it rests: pending ones, and upheld ones until it is
    resumed."""

    def holds(self, nomination: NominationId) -> bool:
        """Tell whether the nomination rests because of a dispute that is pending."""
        return not self.pending.isdisjoint(self.holding.get(nomination, ()))

    @property
    def resting(self) -> frozenset[NominationId]:
        """Nominations that rest because of a dispute, pending or upheld."""
        return frozenset(nomination for nomination, held in self.holding.items() if held)

    def after(self, event: Event) -> "Disputes":
        """Return the reading after one more fact; other facts change nothing."""
        match event:
            case DisputeFiled(dispute=dispute, nomination=str(nomination)):
                held = self.holding.get(nomination, frozenset()) | {dispute}
                return Disputes(self.pending | {dispute}, {**self.holding, nomination: held})
            case DisputeFiled(dispute=dispute):
                return Disputes(self.pending | {dispute}, self.holding)
            case DisputeUpheld(dispute=dispute):
                return Disputes(self.pending - {dispute}, self.holding)
            case DisputeRefused(dispute=dispute) | DisputeWithdrawn(dispute=dispute):
                holding = {nomination: held - {dispute} for nomination, held in self.holding.items()}
                return Disputes(self.pending - {dispute}, holding)
            case NominationResumed(nomination=resumed):
                holding = {nomination: held for nomination, held in self.holding.items() if nomination != resumed}
                return Disputes(self.pending, holding)
            case _:
                return self
