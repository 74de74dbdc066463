"""One sample of every event type there is, about one bloc, so that laws over all types can be shown on values.

`SAMPLES` leaves out whatever is optional; `FULL_SAMPLES` has a second one, with all of it, of each type that has any.
"""

import importlib
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import emulation_saas
from emulation_saas.access.events import PersonRegistered, RoleGranted, RoleRevoked
from emulation_saas.agencies.events import AgencyAliasAdded, AgencyRegistered, AgencyRenamed
from emulation_saas.ballots.events import (
    BallotClosed,
    BallotCounted,
    BallotOpened,
    Choice,
    OptionVotes,
    Outcome,
    Question,
    Rule,
    VoteCast,
)
from emulation_saas.blocs.events import BlocEstablished, MemberAdmitted, MemberWithdrawn
from emulation_saas.disputes.events import (
    DisputeAnswered,
    DisputedEvent,
    DisputeEvidenceAdded,
    DisputeFiled,
    DisputeRefused,
    DisputeUpheld,
    DisputeWithdrawn,
)
from emulation_saas.kernel.events import Event, Official
from emulation_saas.kernel.ids import (
    AgencyId,
    BallotId,
    BlocId,
    DisputeId,
    MeetingId,
    NominationId,
    PersonId,
)
from emulation_saas.kernel.numbers import Share
from emulation_saas.log.events import LogKeyRotated, LogOpened
from emulation_saas.meetings.events import Attendance, MeetingHeld
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
from emulation_saas.ratings.events import Aggregate, AggregateRatingReceived, RatingReceived
from emulation_saas.scoring.events import Evidence, Rank, RankingFrozen, ScoreAppraised, SelfScore, SelfScoreSubmitted
from emulation_saas.years.events import (
    Criterion,
    Rules,
    RulesV1,
    Scheme,
    YearClosed,
    YearLaunched,
    YearOpened,
    YearOpenedV1,
)
from tests.webhooks.samples import OF_WEBHOOKS, WEBHOOKS_IN_FULL

PERSON: Final = PersonId("p-daodaodao2")
AGENCY: Final = AgencyId("thanh-tra-tinh")
"""The agency that the samples are about, where they are about one."""
FELLOW: Final = AgencyId("so-tu-phap")
"""Another member of the bloc."""
BLOC: Final = BlocId("tham-muu-1")
YEAR: Final = 2023
BALLOT: Final = BallotId("suy-ton-2023")
NOMINATION: Final = NominationId("co-chinh-phu-2023")
DISPUTE: Final = DisputeId("kien-nghi-1")
CRITERION: Final = "cai-cach"

_RULE: Final = Rule(
    base="electorate",
    threshold=Share(num=1, den=2),
    quorum=Share(num=2, den=3),
    comparison=">",
    seats=1,
    tie="revote",
)
_QUESTION: Final = Question(question="dan-dau", title="Đơn vị dẫn đầu khối", options=[AGENCY, FELLOW])
_SCHEME: Final = Scheme(
    title="Bảng chấm điểm năm 2023",
    criteria=[Criterion(criterion=CRITERION, title="Cải cách hành chính", points_max=Decimal("18.5"))],
)
_SCHEME_IN_FULL: Final = Scheme(
    title="Bảng chấm điểm năm 2023",
    criteria=[Criterion(criterion=CRITERION, title="Cải cách", parent="nhiem-vu", points_max=Decimal("18.5"))],
)
_RULES: Final = Rules(
    legal_basis="QĐ 12/2020/QĐ-UBND", leaders_max=1, self_vote=True, disputes_suspend_nominations=False
)
_RULES_V1: Final = RulesV1(legal_basis="QĐ 12/2020/QĐ-UBND", leaders_max=1, self_vote=True)
_EVIDENCE: Final = Evidence(sha256="0f" * 32, title="Báo cáo", media_type="application/pdf", size=4096, held_by=AGENCY)
_OFFICER: Final = Official(person=PERSON, name="Đặng Văn Đào", office="Giám đốc")

_OF_THE_PROVINCE: Final[tuple[Event, ...]] = (
    LogOpened(format="emulation-log.v1", origin="log.example.vn/log/0190c3f2", vkey="log.example.vn+4c25ad3f+AQ=="),
    LogKeyRotated(vkey="log.example.vn+9e107d9d+AQ=="),
    ProvinceOpened(province="thanh-hoa"),
    ProvinceNamed(
        name="Thanh Hóa", kind="tinh", code="38", effective_on=date(2004, 1, 1), legal_basis="QĐ 124/2004/QĐ-TTg"
    ),
    PersonRegistered(person=PERSON, issuer="https://id.example.vn", sub="dao", name="Đặng Văn Đào"),
    RoleGranted(person=PERSON, role="council-member"),
    RoleRevoked(person=PERSON, role="council-member"),
    HoldPlaced(person=PERSON, legal_basis="Luật 06/2022/QH15", because="đang giải quyết khiếu nại"),
    HoldLifted(person=PERSON, because="đã giải quyết xong"),
    PersonErased(
        person=PERSON,
        kids=["_zng3u5eIIWon9ztnog0GiLod5HhIcHZWs2A0QztD1c"],
        legal_basis="Luật 91/2025/QH15, Điều 16",
        document_no="12/YC",
    ),
    AccessLogDigested(day=date(2026, 1, 2), entries=2, sha256="0f" * 32),
    AgencyRegistered(agency=AGENCY, name="Thanh tra tỉnh", aliases=["TTT"], effective_on=date(2010, 1, 1)),
    AgencyRenamed(
        agency=AGENCY, name="Thanh tra thành phố", effective_on=date(2025, 3, 1), legal_basis="NQ 45/2025/NQ-HĐND"
    ),
    AgencyAliasAdded(agency=AGENCY, alias="Thanh tra"),
)
_OF_THE_BLOC: Final[tuple[Event, ...]] = (
    BlocEstablished(
        bloc=BLOC,
        name="Khối Thi đua các cơ quan tham mưu I",
        aliases=["Khối Thi đua Tham mưu I"],
        kind="khoi",
        effective_on=date(2020, 1, 1),
        legal_basis="QĐ 12/2020/QĐ-UBND",
    ),
    MemberAdmitted(bloc=BLOC, agency=AGENCY, effective_on=date(2020, 1, 1), legal_basis="QĐ 12/2020/QĐ-UBND"),
    MemberWithdrawn(
        bloc=BLOC, agency=AGENCY, effective_on=date(2025, 3, 1), legal_basis="QĐ 3/2025", because="hợp nhất"
    ),
    OfficeElected(bloc=BLOC, for_year=2024, office="head", agency=AGENCY, ballot=BALLOT),
    OfficeAppointed(
        bloc=BLOC, for_year=2024, office="deputy", agency=AGENCY, authority="UBND tỉnh", document_no="124/TB-UBND"
    ),
    MeetingHeld(
        bloc=BLOC,
        meeting=MeetingId("tong-ket-2023"),
        held_on=date(2024, 1, 30),
        place="phòng họp Sở Tư pháp",
        chairs=[_OFFICER],
        attendance=Attendance(members=[AGENCY, FELLOW], others=["Thường trực Hội đồng"]),
    ),
)
_OF_THE_YEAR: Final[tuple[Event, ...]] = (
    YearOpenedV1(bloc=BLOC, year=YEAR, scheme=_SCHEME, rules=_RULES_V1),
    YearOpened(bloc=BLOC, year=YEAR, scheme=_SCHEME, rules=_RULES),
    YearLaunched(bloc=BLOC, year=YEAR, text="Thi đua hoàn thành xuất sắc nhiệm vụ"),
    YearClosed(bloc=BLOC, year=YEAR),
    PledgeDrafted(bloc=BLOC, year=YEAR, text="Các đơn vị trong khối giao ước"),
    PledgeSigned(bloc=BLOC, year=YEAR, agency=AGENCY, signed_by=_OFFICER),
    SelfScoreSubmitted(
        bloc=BLOC,
        year=YEAR,
        agency=AGENCY,
        points=[
            SelfScore(
                criterion=CRITERION,
                points=Decimal("18.5"),
                explanation="Đạt chỉ tiêu",
                evidence=[_EVIDENCE],
            )
        ],
    ),
    ScoreAppraised(
        bloc=BLOC,
        year=YEAR,
        agency=AGENCY,
        criterion=CRITERION,
        points=Decimal(17),
        reasons="Chậm báo cáo",
        stage="bloc",
    ),
    RankingFrozen(
        bloc=BLOC,
        year=YEAR,
        version=1,
        ranks=[
            Rank(agency=AGENCY, points=Decimal(17), rank=1),
            Rank(agency=FELLOW, points=Decimal("16.25"), rank=2),
        ],
    ),
    RatingReceived(
        bloc=BLOC, year=YEAR, agency=AGENCY, level="excellent", authority="UBND tỉnh", document_no="15/QĐ-UBND"
    ),
    AggregateRatingReceived(
        bloc=BLOC,
        year=YEAR,
        aggregate=Aggregate(of=10, good_or_better=10, excellent=3),
        authority="cấp có thẩm quyền",
        document_no="",
    ),
)
_OF_BALLOTS_AND_NOMINATIONS: Final[tuple[Event, ...]] = (
    BallotOpened(
        bloc=BLOC,
        year=YEAR,
        ballot=BALLOT,
        title="Suy tôn đơn vị dẫn đầu",
        mode="show_of_hands",
        questions=[_QUESTION],
        roll=[AGENCY, FELLOW],
        rule=_RULE,
    ),
    VoteCast(
        bloc=BLOC, year=YEAR, ballot=BALLOT, agency=AGENCY, choices=[Choice(question="dan-dau", options=[FELLOW])]
    ),
    BallotClosed(bloc=BLOC, year=YEAR, ballot=BALLOT),
    BallotCounted(
        bloc=BLOC,
        year=YEAR,
        ballot=BALLOT,
        present=2,
        issued=2,
        collected=2,
        valid=2,
        invalid=0,
        votes=[
            OptionVotes(question="dan-dau", option=AGENCY, votes=2),
            OptionVotes(question="dan-dau", option=FELLOW, votes=0),
        ],
        outcomes=[Outcome(question="dan-dau", chosen=[AGENCY], tied=[])],
    ),
    LeaderAcclaimed(bloc=BLOC, year=YEAR, agency=AGENCY, method="not_stated", because=""),
    NominationMade(
        bloc=BLOC,
        year=YEAR,
        nomination=NOMINATION,
        agency=AGENCY,
        award="gov_flag",
        because="dẫn đầu khối",
        legal_basis="Luật 06/2022/QH15, Điều 25",
    ),
    NominationYielded(bloc=BLOC, year=YEAR, nomination=NOMINATION, agency=AGENCY, because="nhường đơn vị bạn"),
    NominationSuspended(bloc=BLOC, year=YEAR, nomination=NOMINATION, agency=AGENCY, because="đang có đơn thư"),
    NominationResumed(bloc=BLOC, year=YEAR, nomination=NOMINATION, agency=AGENCY, because="đã có kết luận"),
    NominationForwarded(bloc=BLOC, year=YEAR, nomination=NOMINATION, agency=AGENCY, document_no="07/TTr-KTĐ"),
)
_OF_DISPUTES: Final[tuple[Event, ...]] = (
    DisputeFiled(
        bloc=BLOC,
        year=YEAR,
        dispute=DISPUTE,
        agency=AGENCY,
        filed_by=PERSON,
        about="vote",
        events=[DisputedEvent(position=115, type="ballot.counted.v1", actor=PERSON, acted_for=[])],
        text="Kiểm phiếu thiếu một phiếu hợp lệ",
        evidence=[],
    ),
    DisputeEvidenceAdded(bloc=BLOC, year=YEAR, dispute=DISPUTE, agency=AGENCY, evidence=[_EVIDENCE]),
    DisputeAnswered(bloc=BLOC, year=YEAR, dispute=DISPUTE, agency=AGENCY, text="Tổ kiểm phiếu giải trình"),
    DisputeUpheld(bloc=BLOC, year=YEAR, dispute=DISPUTE, agency=AGENCY, reasons="Biên bản ghi đủ phiếu"),
    DisputeRefused(bloc=BLOC, year=YEAR, dispute=DISPUTE, agency=AGENCY, reasons="Phiếu không hợp lệ"),
    DisputeWithdrawn(bloc=BLOC, year=YEAR, dispute=DISPUTE, agency=AGENCY),
)

SAMPLES: Final[dict[type[Event], Event]] = {
    type(event): event
    for part in (_OF_THE_PROVINCE, _OF_THE_BLOC, _OF_THE_YEAR, _OF_BALLOTS_AND_NOMINATIONS, _OF_DISPUTES, OF_WEBHOOKS)
    for event in part
}
"""One of each type, with every optional field absent."""

_WITH_ALL_OPTIONALS: Final[tuple[Event, ...]] = (
    *WEBHOOKS_IN_FULL,
    RoleGranted(person=PERSON, role="expert", agency=AGENCY, bloc=BLOC, criterion=CRITERION),
    RoleRevoked(person=PERSON, role="expert", agency=AGENCY, bloc=BLOC, criterion=CRITERION),
    AgencyRegistered(agency=AGENCY, name="Thanh tra tỉnh", aliases=[], code="H56.12", effective_on=date(2010, 1, 1)),
    MeetingHeld(
        bloc=BLOC,
        meeting=MeetingId("tong-ket-2023"),
        held_on=date(2024, 1, 30),
        place="phòng họp Sở Tư pháp",
        chairs=[_OFFICER],
        attendance=Attendance(members=[AGENCY, FELLOW], others=[]),
        covers_year=YEAR,
        plans_year=2024,
    ),
    YearOpened(
        bloc=BLOC,
        year=YEAR,
        scheme=_SCHEME_IN_FULL,
        rules=Rules(
            legal_basis="QĐ 12/2020/QĐ-UBND",
            self_scores_close_at=datetime(2023, 12, 15, 10, 0, tzinfo=UTC),
            leaders_max=1,
            self_vote=True,
            dispute_answer_days=10,
            disputes_suspend_nominations=True,
        ),
    ),
    YearOpenedV1(
        bloc=BLOC,
        year=YEAR,
        scheme=_SCHEME_IN_FULL,
        rules=RulesV1(
            legal_basis="QĐ 12/2020/QĐ-UBND",
            self_scores_close_at=datetime(2023, 12, 15, 10, 0, tzinfo=UTC),
            leaders_max=1,
            self_vote=True,
        ),
    ),
    DisputeFiled(
        bloc=BLOC,
        year=YEAR,
        dispute=DISPUTE,
        agency=AGENCY,
        filed_by=PERSON,
        about="nomination",
        events=[
            DisputedEvent(position=120, type="nomination.made.v1", actor=PERSON, acted_for=[AGENCY], agency=FELLOW)
        ],
        text="Đơn vị chưa đủ tiêu chuẩn",
        evidence=[_EVIDENCE],
        nomination=NOMINATION,
        answer_by=date(2024, 2, 9),
    ),
    BallotOpened(
        bloc=BLOC,
        year=YEAR,
        ballot=BALLOT,
        title="Suy tôn đơn vị dẫn đầu",
        mode="open",
        questions=[_QUESTION],
        roll=[AGENCY, FELLOW],
        rule=_RULE,
        closes_at=datetime(2024, 1, 30, 4, 0, tzinfo=UTC),
    ),
    LeaderAcclaimed(
        bloc=BLOC, year=YEAR, agency=AGENCY, method="ballot", ballot=BALLOT, because="vượt chỉ tiêu nhiều nhất"
    ),
    NominationMade(
        bloc=BLOC,
        year=YEAR,
        nomination=NOMINATION,
        agency=AGENCY,
        award="gov_flag",
        ballot=BALLOT,
        because="dẫn đầu khối",
        legal_basis="Luật 06/2022/QH15, Điều 25",
    ),
)
FULL_SAMPLES: Final[dict[type[Event], Event]] = {type(event): event for event in _WITH_ALL_OPTIONALS}
"""A second one of each type that has optional fields, with every one of them in use."""


def event_types() -> list[type[Event]]:
    """Return the types of every `EVENTS` tuple in the project, wherever a part has a module `events`."""
    types: list[type[Event]] = []
    for path in sorted(Path(emulation_saas.__path__[0]).glob("*/events.py")):
        if path.parent.name != "kernel":  # there it is what an event is, and no event
            types.extend(importlib.import_module(f"emulation_saas.{path.parent.name}.events").EVENTS)
    return types
