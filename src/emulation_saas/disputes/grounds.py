"""What a dispute may rest on: which kinds of events it can be about, and that they are of its bloc and to be seen."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from msgspec import UNSET, UnsetType

from emulation_saas.ballots.events import BallotClosed, BallotCounted, BallotOpened, VoteCast
from emulation_saas.blocs.events import MemberAdmitted, MemberWithdrawn
from emulation_saas.disputes.events import About, DisputedEvent
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import AnyRecorded, Event
from emulation_saas.kernel.ids import AgencyId, NominationId, PersonId
from emulation_saas.kernel.rejections import Conflict, Invalid
from emulation_saas.nominations.events import LeaderAcclaimed, NominationEvent
from emulation_saas.ratings.events import AggregateRatingReceived, RatingReceived
from emulation_saas.scoring.events import RankingFrozen, ScoreAppraised, SelfScoreSubmitted

KINDS: Final[dict[About, tuple[type[Event], ...]]] = {
    "score": (SelfScoreSubmitted, ScoreAppraised, RankingFrozen),
    "rating": (RatingReceived, AggregateRatingReceived),
    "vote": (BallotOpened, VoteCast, BallotClosed, BallotCounted),
    "nomination": (LeaderAcclaimed, NominationEvent),
    "membership": (MemberAdmitted, MemberWithdrawn),
}
"""The events that a dispute about something may name."""


class DisputedEventUnknown(Conflict):
    """The bloc's year has no such event, or it is not for the filer to see."""

    code = "disputed-event-unknown"


class DisputedEventOfAnotherKind(Invalid):
    """A dispute about this does not contest such an event."""

    code = "disputed-event-of-another-kind"


class SeveralNominations(Invalid):
    """A dispute about a nomination names the events of one nomination only."""

    code = "several-nominations"


def require_grounds(
    about: About,
    positions: Sequence[int],
    found: Sequence[AnyRecorded],
    acted_for: Mapping[int, Collection[AgencyId]],
    may: Authority,
    *,
    bloc: str,
    year: int,
) -> list[DisputedEvent]:
    """Return the events at some positions as a dispute names them.

    Args:
        about: what the dispute is about.
        positions: where the contested events stand.
        found: the events that were found there, wherever they belong.
        acted_for: by position, the agencies that the actor represented when he acted.
        may: what the filer may see.
        bloc: whose year it is.
        year: the year.

    Raises:
        DisputedEventUnknown: there is none, it belongs elsewhere, or the filer may not see it.
        DisputedEventOfAnotherKind: a dispute about this cannot contest it.
        SeveralNominations: the events are of more than one nomination.
    """
    place = f"bloc:{bloc}" if about == "membership" else f"year:{bloc}/{year}"
    by_position = {each.position: each for each in found}
    disputed: list[DisputedEvent] = []
    for position in positions:
        recorded = by_position.get(position)
        if (
            recorded is None
            or place not in recorded.event.tags()
            or not may.may_see(recorded.event, actor=recorded.actor)
        ):
            raise DisputedEventUnknown(str(position))
        if not isinstance(recorded.event, KINDS[about]):
            raise DisputedEventOfAnotherKind(f"{position}: {recorded.event.type}")
        disputed.append(
            DisputedEvent(
                position=position,
                type=recorded.event.type,
                actor=PersonId(recorded.actor),
                acted_for=sorted(acted_for[position]),
                agency=getattr(recorded.event, "agency", UNSET),
            )
        )
    if len(_nominations_in(found)) > 1:
        raise SeveralNominations
    return disputed


def nomination_in(found: Sequence[AnyRecorded]) -> NominationId | UnsetType:
    """Return the nomination that the contested events are of, if any."""
    return next(iter(_nominations_in(found)), UNSET)


def _nominations_in(found: Sequence[AnyRecorded]) -> set[NominationId]:
    return {each.event.nomination for each in found if isinstance(each.event, NominationEvent)}
