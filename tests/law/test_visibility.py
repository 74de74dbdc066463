"""Who may see which event: one table of role by event type, written by hand, held against the kernel's rule.

A type stands in the column of what it tells and whom it names; a role's row says what it may see of each column. So a
type whose visibility or tags change, or a new type that nobody has thought about, fails here.
"""

from collections import Counter
from typing import Any, ClassVar, Final

import msgspec
import pytest
from msgspec import UNSET

from emulation_saas.access.events import PersonRegistered, RoleGranted, RoleRevoked
from emulation_saas.agencies.events import AgencyAliasAdded, AgencyRegistered, AgencyRenamed
from emulation_saas.ballots.events import BallotClosed, BallotCounted, BallotOpened, VoteCast
from emulation_saas.blocs.events import BlocEstablished, MemberAdmitted, MemberWithdrawn
from emulation_saas.disputes.events import (
    DisputeAnswered,
    DisputeEvidenceAdded,
    DisputeFiled,
    DisputeRefused,
    DisputeUpheld,
    DisputeWithdrawn,
)
from emulation_saas.kernel.authority import Authority, operator
from emulation_saas.kernel.events import Event, Visibility
from emulation_saas.kernel.ids import AgencyId, BlocId, PersonId
from emulation_saas.log.events import LogKeyRotated, LogOpened
from emulation_saas.meetings.events import MeetingHeld
from emulation_saas.nominations.events import (
    LeaderAcclaimed,
    NominationForwarded,
    NominationMade,
    NominationResumed,
    NominationSuspended,
    NominationYielded,
)
from emulation_saas.offices.events import OfficeAppointed, OfficeElected
from emulation_saas.pledges.events import PledgeDrafted, PledgeSigned
from emulation_saas.privacy.events import AccessLogDigested, HoldLifted, HoldPlaced, PersonErased
from emulation_saas.provinces.events import ProvinceNamed, ProvinceOpened
from emulation_saas.ratings.events import AggregateRatingReceived, RatingReceived
from emulation_saas.scoring.events import RankingFrozen, ScoreAppraised, SelfScoreSubmitted
from emulation_saas.webhooks.events import EVENTS as WEBHOOK_EVENTS
from emulation_saas.years.events import YearClosed, YearLaunched, YearOpened, YearOpenedV1
from tests.builders import AGENCY, BLOC, CRITERION, FELLOW, FULL_SAMPLES, SAMPLES, YEAR, event_types
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, SOMEBODY, representing, secretary_of

ACTOR: Final = PersonId("p-actoractor")
"""Somebody else than whoever looks."""

COLUMNS: Final[dict[str, tuple[type[Event], ...]]] = {
    "public": (
        LogOpened,
        LogKeyRotated,
        ProvinceOpened,
        ProvinceNamed,
        AgencyRegistered,
        AgencyRenamed,
        AgencyAliasAdded,
        BlocEstablished,
        MemberAdmitted,
        MemberWithdrawn,
        YearOpenedV1,
        YearOpened,
        YearLaunched,
        YearClosed,
        PledgeDrafted,
        PledgeSigned,
        LeaderAcclaimed,
        OfficeElected,
        OfficeAppointed,
        MeetingHeld,
        PersonErased,
    ),
    "parties: the bloc and an agency": (
        SelfScoreSubmitted,
        ScoreAppraised,
        RatingReceived,
        VoteCast,
        NominationMade,
        NominationYielded,
        NominationSuspended,
        NominationResumed,
        NominationForwarded,
        DisputeFiled,
        DisputeEvidenceAdded,
        DisputeAnswered,
        DisputeUpheld,
        DisputeRefused,
        DisputeWithdrawn,
    ),
    "parties: the bloc": (AggregateRatingReceived, RankingFrozen, BallotOpened, BallotClosed, BallotCounted),
    "council": (
        PersonRegistered,
        RoleGranted,
        RoleRevoked,
        HoldPlaced,
        HoldLifted,
        AccessLogDigested,
        *WEBHOOK_EVENTS,
    ),
}

INTEGRATOR: Final = Authority(person=SOMEBODY, known=True, is_integrator=True)
EXPERT: Final = Authority(person=SOMEBODY, known=True, expert_for=frozenset({f"{BLOC}/{CRITERION}"}))
OFFICER: Final = Authority(
    person=SOMEBODY,
    known=True,
    represents=frozenset({AgencyId("so-y-te")}),
    offices=frozenset({(BLOC, YEAR, "head")}),
)
OFFICER_ELSEWHERE: Final = Authority(
    person=SOMEBODY,
    known=True,
    represents=frozenset({AgencyId("so-y-te")}),
    offices=frozenset({(BlocId("van-xa"), YEAR, "head")}),
)

TABLE: Final[tuple[tuple[str, Authority, tuple[bool, bool, bool, bool]], ...]] = (
    # role                                        public, agency's, bloc's, council
    ("no role", NOBODY, (False, False, False, False)),
    ("operator of the platform", operator(), (False, False, False, False)),
    ("admin", ADMIN, (True, True, True, True)),
    ("council", COUNCIL, (True, True, True, True)),
    ("auditor", AUDITOR, (True, True, True, True)),
    ("integrator", INTEGRATOR, (True, False, False, False)),
    ("expert", EXPERT, (True, True, True, False)),
    ("secretary of the bloc", secretary_of(BLOC), (True, True, True, False)),
    ("secretary of another bloc", secretary_of("van-xa"), (True, False, False, False)),
    ("represents the agency concerned", representing(AGENCY, blocs=[BLOC]), (True, True, True, False)),
    ("represents it after it left the bloc", representing(AGENCY), (True, True, False, False)),
    ("represents a fellow member", representing(FELLOW, blocs=[BLOC]), (True, True, True, False)),
    ("represents an agency outside", representing("so-y-te", blocs=["van-xa"]), (True, False, False, False)),
    ("represents the bloc's head", OFFICER, (True, True, True, False)),
    ("represents another bloc's head", OFFICER_ELSEWHERE, (True, False, False, False)),
)

CASES: Final = [
    pytest.param(may, sample, may_see, id=f"{role} - {type(sample).__name__}{variant}")
    for role, may, row in TABLE
    for types, may_see in zip(COLUMNS.values(), row, strict=True)
    for samples, variant in ((SAMPLES, ""), (FULL_SAMPLES, " in full"))
    for sample in (samples[event_type] for event_type in types if event_type in samples)
]


class Sealed(Event, frozen=True, kw_only=True):
    """A fact nobody may read; no released type is sealed yet."""

    type: ClassVar[str] = "test.sealed.v1"
    visibility: ClassVar[Visibility] = Visibility.SEALED

    def tags(self) -> list[str]:
        """Name the bloc and the agency, so that only the visibility keeps it from them."""
        return [f"bloc:{BLOC}", f"agency:{AGENCY}"]


@pytest.mark.parametrize(("may", "sample", "may_see"), CASES)
def test_event_is_seen_by_those_in_the_table_only(may: Authority, sample: Event, *, may_see: bool) -> None:
    assert may.may_see(sample, actor=ACTOR) is may_see


@pytest.mark.parametrize("may", [may for _, may, _ in TABLE if may.known])
def test_actor_sees_what_he_did_among_parties(may: Authority) -> None:
    parties = COLUMNS["parties: the bloc and an agency"] + COLUMNS["parties: the bloc"]
    assert [
        sample for sample in map(SAMPLES.get, parties) if not (sample and may.may_see(sample, actor=SOMEBODY))
    ] == []


@pytest.mark.parametrize("event_type", COLUMNS["council"])
def test_actor_does_not_see_what_is_the_councils(event_type: type[Event]) -> None:
    assert not INTEGRATOR.may_see(SAMPLES[event_type], actor=SOMEBODY)


def test_actor_who_has_lost_every_role_sees_nothing() -> None:
    assert [sample for sample in SAMPLES.values() if NOBODY.may_see(sample, actor=SOMEBODY)] == []


@pytest.mark.parametrize("may", [may for _, may, _ in TABLE])
def test_what_is_sealed_is_seen_by_nobody(may: Authority) -> None:
    assert not may.may_see(Sealed(), actor=SOMEBODY)


def test_every_type_stands_in_one_column() -> None:
    stands = Counter(event_type for types in COLUMNS.values() for event_type in types)
    assert stands == Counter(event_types())


def test_every_type_has_a_sample() -> None:
    assert SAMPLES.keys() == set(event_types())


def optionals(struct: msgspec.Struct, *, absent: bool) -> list[str]:
    """Name the optional fields within a struct that are absent, or those that are in use."""
    found: list[str] = []
    for field in msgspec.structs.fields(struct):
        held: Any = getattr(struct, field.name)
        if field.default is UNSET and (held is UNSET) is absent:
            found.append(f"{type(struct).__name__}.{field.name}")
        for part in held if isinstance(held, list) else [held]:  # pyright: ignore[reportUnknownVariableType] - of anything
            if isinstance(part, msgspec.Struct):
                found += optionals(part, absent=absent)
    return found


def test_samples_leave_out_what_is_optional() -> None:
    assert [name for sample in SAMPLES.values() for name in optionals(sample, absent=False)] == []


def test_types_with_optional_fields_have_a_second_sample_with_all_in_use() -> None:
    with_optionals = {event_type for event_type, sample in SAMPLES.items() if optionals(sample, absent=True)}
    assert FULL_SAMPLES.keys() == with_optionals
    assert [name for sample in FULL_SAMPLES.values() for name in optionals(sample, absent=True)] == []
