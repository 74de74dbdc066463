"""One dispute as the docket keeps it: how it began, what was brought and answered, how it ended, what corrected it."""

from datetime import date
from typing import Final, Literal

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from emulation_saas.disputes.events import (
    About,
    DisputeAnswered,
    DisputedEvent,
    DisputeEvent,
    DisputeEvidenceAdded,
    DisputeFiled,
    DisputeRefused,
    DisputeUpheld,
    DisputeWithdrawn,
)
from emulation_saas.kernel.clock import day_of
from emulation_saas.kernel.events import AnyRecorded
from emulation_saas.kernel.ids import AgencyId, NominationId, PersonId
from emulation_saas.projecting.views import Position
from emulation_saas.scoring.events import Evidence

End = Literal["upheld", "refused", "withdrawn"]
DisputeState = Literal["filed", "answered", "upheld", "refused", "withdrawn"]

_ENDS: Final[dict[type[DisputeEvent], End]] = {
    DisputeUpheld: "upheld",
    DisputeRefused: "refused",
    DisputeWithdrawn: "withdrawn",
}


class EvidenceBrought(msgspec.Struct, frozen=True, kw_only=True):
    """Evidence, and the event that brought it."""

    evidence: Evidence
    position: Position


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An explanation."""

    actor: PersonId
    text: str
    position: Position


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a dispute ended, by whom and why."""

    state: End
    actor: PersonId
    reasons: str | UnsetType = UNSET
    position: Position


class CorrectiveEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that carried the ruling out."""

    type: str
    position: Position


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One dispute."""

    year: int
    agency: AgencyId
    about: About
    events: list[DisputedEvent]
    text: str
    nomination: NominationId | UnsetType = UNSET
    answer_by: date | UnsetType = UNSET
    actor: PersonId
    position: Position
    evidence: tuple[EvidenceBrought, ...]
    answers: tuple[Answer, ...] = ()
    settled_on: date | None = None
    """The day, in Vietnam, on which the first answer or the end was recorded: from then on nothing is overdue."""
    ending: Ending | None = None
    corrections: tuple[CorrectiveEvent, ...] = ()

    @property
    def state(self) -> DisputeState:
        """Where it stands."""
        if self.ending is not None:
            return self.ending.state
        return "answered" if self.answers else "filed"

    def is_overdue(self, day: date) -> bool:
        """Tell whether its term was over on a day without an answer or an end."""
        is_late = self.answer_by is not UNSET and self.answer_by < day
        return is_late and (self.settled_on is None or self.settled_on > day)


def begun(filed: DisputeFiled, recorded: AnyRecorded) -> Case:
    """Return a dispute as it was filed."""
    return Case(
        year=filed.year,
        agency=filed.agency,
        about=filed.about,
        events=filed.events,
        text=filed.text,
        nomination=filed.nomination,
        answer_by=filed.answer_by,
        actor=PersonId(recorded.actor),
        position=recorded.position,
        evidence=_brought(filed.evidence, recorded),
    )


def _brought(evidence: list[Evidence], recorded: AnyRecorded) -> tuple[EvidenceBrought, ...]:
    return tuple(EvidenceBrought(evidence=each, position=recorded.position) for each in evidence)


def after(case_: Case, recorded: AnyRecorded) -> Case:
    """Return a dispute after a step that was taken in it."""
    actor, position = PersonId(recorded.actor), recorded.position
    event = recorded.event
    if isinstance(event, DisputeEvidenceAdded):
        return replace(case_, evidence=(*case_.evidence, *_brought(event.evidence, recorded)))
    # What comes from paper keeps no term: the day counts on which it was recorded.
    settled_on = case_.settled_on or day_of(recorded.recorded_at)
    if isinstance(event, DisputeAnswered):
        answer = Answer(actor=actor, text=event.text, position=position)
        return replace(case_, answers=(*case_.answers, answer), settled_on=settled_on)
    reasons = getattr(event, "reasons", UNSET)  # who withdraws need give none
    ending = Ending(state=_ENDS[type(event)], actor=actor, reasons=reasons, position=position)
    return replace(case_, ending=ending, settled_on=settled_on)
