"""Random histories of a small province: consistent, in any order that the rules allow, with much in them to fold.

A history is a list of steps, each with a number that picks among what the step may be done to; a step that cannot be
taken changes nothing. So histories shrink to the few steps that matter.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

from eventsourcing.dcb.domain import Selector
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType

from emulation_saas.access.events import RoleGranted
from emulation_saas.agencies.events import AgencyAliasAdded, AgencyRegistered, AgencyRenamed
from emulation_saas.ballots.counting import Counts, end_of, tally
from emulation_saas.ballots.events import BallotOpened, Choice, Question, Rule, VoteCast
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
from emulation_saas.kernel.authority import Office
from emulation_saas.kernel.events import AnyRecorded, Event, Official, Recorded
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId, DisputeId, MeetingId, NominationId, PersonId
from emulation_saas.kernel.numbers import Share
from emulation_saas.log.events import LogOpened, Unknown
from emulation_saas.meetings.events import Attendance, MeetingHeld
from emulation_saas.nominations.events import (
    LeaderAcclaimed,
    Method,
    NominationForwarded,
    NominationMade,
    NominationResumed,
    NominationSuspended,
    NominationYielded,
)
from emulation_saas.offices.events import OfficeAppointed, OfficeElected
from emulation_saas.pledges.events import PledgeDrafted, PledgeSigned
from emulation_saas.provinces.events import ProvinceNamed, ProvinceOpened
from emulation_saas.ratings.events import Aggregate, AggregateRatingReceived, Level, RatingReceived
from emulation_saas.scoring.events import Evidence, RankingFrozen, ScoreAppraised, SelfScore, SelfScoreSubmitted
from emulation_saas.scoring.ranking import rank
from emulation_saas.years.events import Criterion, Rules, Scheme, YearClosed, YearLaunched, YearOpened
from tests.scenario import matches

AGENCIES: Final = [AgencyId(handle) for handle in ("thanh-tra", "tu-phap", "noi-vu", "ngoai-vu")]
BLOCS: Final = [BlocId("tham-muu-1"), BlocId("tham-muu-2")]
YEARS: Final = [2023, 2024]
CRITERIA: Final = ["chuyen-mon", "cai-cach", "phong-trao"]
LEVELS: Final[tuple[Level, ...]] = ("excellent", "good", "satisfactory", "failed")
METHODS: Final[tuple[Method, ...]] = ("ballot", "consensus", "not_stated")
OFFICES: Final[tuple[Office, ...]] = ("head", "deputy")
TERMS: Final[tuple[date | UnsetType, ...]] = (date(2024, 1, 2), UNSET)
COVERED: Final[tuple[int | UnsetType, ...]] = (2023, UNSET)
OFFICER_NAME: Final = "Đặng Văn Đào"
OFFICER: Final = Official(person=PersonId("p-daodaodao2"), name=OFFICER_NAME, office="Giám đốc")
EVIDENCE: Final = Evidence(
    sha256="0f" * 32, title="Biên bản", media_type="application/pdf", size=9, held_by=AGENCIES[0]
)
BEGIN: Final = datetime(2024, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)

_SCHEME: Final = Scheme(
    title="Bảng điểm", criteria=[Criterion(criterion=each, title=each, points_max=Decimal(20)) for each in CRITERIA]
)
_RULES: Final = Rules(
    legal_basis="QĐ 12", self_scores_close_at=BEGIN, leaders_max=1, self_vote=True, disputes_suspend_nominations=False
)
_RULE: Final = Rule(
    base="electorate", threshold=Share(num=1, den=2), quorum=Share(num=1, den=2), comparison=">", seats=1, tie="revote"
)
_QUESTIONS: Final = [Question(question="dan-dau", title="Dẫn đầu", options=[str(agency) for agency in AGENCIES])]

T = TypeVar("T")


class Story:
    """A province to which things happen. Each method but the first two is a step."""

    def __init__(self) -> None:
        self.events: list[Event] = [LogOpened(format="emulation-log.v1", origin="log.test", vkey="k"), Unknown()]
        self._number = 0
        self._scores: dict[tuple[BlocId, int], dict[AgencyId, Decimal]] = {}
        self._members: dict[BlocId, list[AgencyId]] = {bloc: [] for bloc in BLOCS}
        self._ballots: dict[BallotId, tuple[BallotOpened, dict[AgencyId, list[Choice]]]] = {}
        self.causes: dict[int, int] = {}
        self._disputes: dict[DisputeId, dict[str, Any]] = {}
        self._rulings: list[int] = []
        self._nominations: dict[NominationId, tuple[BlocId, int, AgencyId, str]] = {}
        self._named_on = dict.fromkeys(AGENCIES, date(2010, 1, 1))

    def pick(self, options: Sequence[T]) -> T:
        """Choose by the step's number, using it up."""
        self._number, index = divmod(self._number, len(options))
        return options[index]

    def take(self, step: str, number: int) -> None:
        """Take a step."""
        self._number = number
        getattr(self, step)()

    def open_province(self) -> None:
        self.events += [
            ProvinceOpened(province="bac-song"),
            ProvinceNamed(name="Bắc Sông", kind="tinh", code="1", effective_on=date(2004, 1, 1), legal_basis="NQ 1"),
            *(
                AgencyRegistered(agency=agency, name=f"Sở {agency}", aliases=["S"], effective_on=date(2010, 1, 1))
                for agency in AGENCIES
            ),
        ]
        for bloc in BLOCS:
            self.events.append(
                BlocEstablished(
                    bloc=bloc, name=bloc, aliases=[], kind="khoi", effective_on=date(2020, 1, 1), legal_basis="QĐ 1"
                )
            )
            self.events += [
                YearOpened(bloc=bloc, year=year, scheme=_SCHEME, rules=_RULES)
                for year in YEARS[: 1 + (bloc == BLOCS[0])]
            ]

    def rename(self) -> None:
        agency = self.pick(AGENCIES)
        self._named_on[agency] += timedelta(days=700 + self._number % 4000)
        day = self._named_on[agency]
        self.events.append(AgencyRenamed(agency=agency, name=f"Sở {day:%Y}", effective_on=day, legal_basis="NQ"))

    def rename_province(self) -> None:
        day = date(2004 + self._number % 30, 7, 1)
        named = ProvinceNamed(name=f"B {day.year}", kind="thanh_pho", code="2", effective_on=day, legal_basis="NQ")
        self.events.append(named)

    def note_alias(self) -> None:
        self.events.append(AgencyAliasAdded(agency=self.pick(AGENCIES), alias=f"tên {self._number % 5}"))

    def admit(self) -> None:
        bloc, agency = self.pick(BLOCS), self.pick(AGENCIES)
        if agency not in self._members[bloc]:
            self._members[bloc].append(agency)
            day = date(2020 + self._number % 6, 1, 1)
            self.events.append(MemberAdmitted(bloc=bloc, agency=agency, effective_on=day, legal_basis="QĐ 2"))

    def withdraw(self) -> None:
        bloc = self.pick(BLOCS)
        if self._members[bloc]:
            agency = self.pick(self._members[bloc])
            self._members[bloc].remove(agency)
            why: dict[str, Any] = {"effective_on": date(2026, 1, 1), "legal_basis": "QĐ 3", "because": "hợp nhất"}
            self.events.append(MemberWithdrawn(bloc=bloc, agency=agency, **why))

    def launch(self) -> None:
        self.events.append(YearLaunched(bloc=self.pick(BLOCS), year=self.pick(YEARS), text="Phát động"))

    def close(self) -> None:
        self.events.append(YearClosed(bloc=self.pick(BLOCS), year=self.pick(YEARS)))

    def draft(self) -> None:
        self.events.append(PledgeDrafted(bloc=self.pick(BLOCS), year=self.pick(YEARS), text=f"Giao ước {self._number}"))

    def sign(self) -> None:
        bloc, year, agency = self.pick(BLOCS), self.pick(YEARS), self.pick(AGENCIES)
        self.events.append(PledgeSigned(bloc=bloc, year=year, agency=agency, signed_by=OFFICER))

    def score(self) -> None:
        bloc, year, agency = self.pick(BLOCS), self.pick(YEARS), self.pick(AGENCIES)
        sheet = [
            SelfScore(criterion=criterion, points=Decimal(self.pick(range(41))) / 2, explanation="", evidence=[])
            for criterion in CRITERIA[: self.pick(range(4))]
        ]
        self.events.append(SelfScoreSubmitted(bloc=bloc, year=year, agency=agency, points=sheet))
        self._scores.setdefault((bloc, year), {})[agency] = sum((each.points for each in sheet), Decimal(0))

    def appraise(self) -> None:
        self.events.append(
            ScoreAppraised(
                bloc=self.pick(BLOCS),
                year=self.pick(YEARS),
                agency=self.pick(AGENCIES),
                criterion=self.pick(CRITERIA),
                points=Decimal(self.pick(range(41))) / 2,
                reasons="Chậm báo cáo",
                stage=self.pick(("bloc", "expert", "council")),
            )
        )

    def freeze(self) -> None:
        bloc, year = self.pick(BLOCS), self.pick(YEARS)
        version = 1 + sum(isinstance(event, RankingFrozen) for event in self.events)
        ranks = rank(self._scores.get((bloc, year), {}))
        self.events.append(RankingFrozen(bloc=bloc, year=year, version=version, ranks=ranks))

    def rate(self) -> None:
        bloc, year = self.pick(BLOCS), self.pick(YEARS)
        if self.pick((True, False)):
            level = self.pick(LEVELS)
            agency = self.pick(AGENCIES)
            self.events.append(
                RatingReceived(bloc=bloc, year=year, agency=agency, level=level, authority="UBND", document_no="1")
            )
        else:
            aggregate = Aggregate(of=4, good_or_better=4, excellent=self.pick(range(5)))
            self.events.append(
                AggregateRatingReceived(bloc=bloc, year=year, aggregate=aggregate, authority="", document_no="")
            )

    def open_ballot(self) -> None:
        ballot = BallotId(f"b-{sum(isinstance(event, BallotOpened) for event in self.events)}")
        is_open = self.pick((True, False))
        opened = BallotOpened(
            bloc=self.pick(BLOCS),
            year=self.pick(YEARS),
            ballot=ballot,
            title="Suy tôn",
            mode="open" if is_open else "show_of_hands",
            questions=_QUESTIONS,
            roll=AGENCIES,
            rule=_RULE,
            closes_at=BEGIN if is_open else UNSET,
        )
        self._ballots[ballot] = (opened, {})
        self.events.append(opened)

    def vote(self) -> None:
        if self._ballots:
            opened, votes = self.pick(list(self._ballots.values()))
            agency = self.pick(AGENCIES)
            votes[agency] = [Choice(question="dan-dau", options=[self.pick(AGENCIES)])]
            self.events.append(
                VoteCast(bloc=opened.bloc, year=opened.year, ballot=opened.ballot, agency=agency, choices=votes[agency])
            )

    def end_ballot(self) -> None:
        if self._ballots:
            opened, votes = self._ballots.pop(self.pick(list(self._ballots)))
            many = len(votes)
            counts = Counts(electorate=4, present=many, issued=many, collected=many, valid=many, invalid=0)
            ending = end_of(opened, counts, tally(opened.questions, votes.values()))
            self.events += ending[: self.pick((2, 2, 1))]

    def acclaim(self) -> None:
        bloc, year, agency = self.pick(BLOCS), self.pick(YEARS), self.pick(AGENCIES)
        method = self.pick(METHODS)
        self.events.append(LeaderAcclaimed(bloc=bloc, year=year, agency=agency, method=method, because=""))

    def nominate(self) -> None:
        nomination = NominationId(f"n-{len(self._nominations)}")
        bloc, year, agency = self.pick(BLOCS), self.pick(YEARS), self.pick(AGENCIES)
        self._nominations[nomination] = (bloc, year, agency, nomination)
        self.events.append(
            NominationMade(
                bloc=bloc,
                year=year,
                nomination=nomination,
                agency=agency,
                award=self.pick(("gov_flag", "prov_flag", "prov_certificate")),
                because="tiêu biểu",
                legal_basis="Luật 06/2022/QH15",
            )
        )

    def go_on(self) -> None:
        if self._nominations:
            bloc, year, agency, handle = self.pick(list(self._nominations.values()))
            who: dict[str, Any] = {"bloc": bloc, "year": year, "agency": agency, "nomination": NominationId(handle)}
            self.events.append(
                self.pick(
                    (
                        NominationYielded(**who, because="nhường"),
                        NominationSuspended(**who, because="đơn thư"),
                        NominationResumed(**who, because="kết luận"),
                        NominationForwarded(**who, document_no="07/TTr"),
                    )
                )
            )

    def dispute(self) -> None:
        dispute = DisputeId(f"d-{sum(isinstance(event, DisputeFiled) for event in self.events)}")
        where: dict[str, Any] = {"bloc": self.pick(BLOCS), "year": self.pick(YEARS), "agency": self.pick(AGENCIES)}
        self._disputes[dispute] = where
        at = self._number % 50 + 1
        contested = DisputedEvent(position=at, type="ballot.counted.v1", actor=OFFICER.person, acted_for=[])
        grounds: dict[str, Any] = {"about": "vote", "events": [contested], "text": "Sai", "evidence": [EVIDENCE]}
        self.events.append(
            DisputeFiled(**where, **grounds, dispute=dispute, filed_by=OFFICER.person, answer_by=self.pick(TERMS))
        )

    def go_on_disputing(self) -> None:
        if self._disputes:
            dispute, where = self.pick(list(self._disputes.items()))
            step = self.pick(
                (
                    DisputeEvidenceAdded(**where, dispute=dispute, evidence=[EVIDENCE]),
                    DisputeAnswered(**where, dispute=dispute, text="Giải trình"),
                    DisputeUpheld(**where, dispute=dispute, reasons="có lý"),
                    DisputeRefused(**where, dispute=dispute, reasons="vô lý"),
                    DisputeWithdrawn(**where, dispute=dispute),
                )
            )
            self.events.append(step)
            if isinstance(step, DisputeUpheld | DisputeRefused | DisputeWithdrawn):
                del self._disputes[dispute]
                self._rulings.append(len(self.events))

    def correct(self) -> None:
        if self._rulings:
            self.causes[len(self.events) + 1] = self.pick(self._rulings)
            self.pick((self.appraise, self.freeze, self.rate, self.acclaim))()

    def fill(self) -> None:
        bloc, year, agency = self.pick(BLOCS), self.pick(YEARS), self.pick(AGENCIES)
        office = self.pick(OFFICES)
        if self.pick((True, False)):
            ballot = BallotId("bau")
            self.events.append(OfficeElected(bloc=bloc, for_year=year, office=office, agency=agency, ballot=ballot))
        else:
            self.events.append(
                OfficeAppointed(
                    bloc=bloc, for_year=year, office=office, agency=agency, authority="UBND", document_no="1/TB"
                )
            )

    def meet(self) -> None:
        held = sum(isinstance(event, MeetingHeld) for event in self.events)
        self.events.append(
            MeetingHeld(
                bloc=self.pick(BLOCS),
                meeting=MeetingId(f"m-{held}"),
                held_on=date(2024, 1, 30),
                place="phòng họp",
                chairs=[OFFICER],
                attendance=Attendance(members=AGENCIES[:2], others=["Thường trực Hội đồng"]),
                covers_year=self.pick(COVERED),
                plans_year=2024,
            )
        )

    def pass_over(self) -> None:
        self.events.append(self.pick((Unknown(), RoleGranted(person=OFFICER.person, role="auditor"))))


STEPS: Final = sorted(
    name for name in vars(Story) if not name.startswith("_") and name not in {"pick", "take", "open_province"}
)


def tell(steps: Sequence[tuple[str, int]]) -> list[AnyRecorded]:
    """Return the recorded history that the steps make, after a province's usual beginning."""
    story = Story()
    story.open_province()
    for number in range(6):
        story.take("admit", number)
    for step, number in steps:
        story.take(step, number)
    return recorded(story.events, causes=story.causes)


def recorded(
    events: Sequence[Event],
    *,
    first: int = 1,
    actor: str = "p-nguoighi22",
    causes: Mapping[int, int] = {},
) -> list[AnyRecorded]:
    """Return events as they would stand in a log: every third one is entered from paper, days later.

    Some may name what led to them: `causes` has the position of the cause by the position of the event.
    """
    history: list[AnyRecorded] = []
    for position, event in enumerate(events, start=first):
        at = BEGIN + timedelta(minutes=position)
        history.append(
            Recorded(
                event=event,
                id=str(position),
                recorded_at=at,
                time=(at - timedelta(days=position % 3)).replace(microsecond=0),
                actor=actor,
                command_id=f"00000000-0000-4000-8000-{position:012d}",
                causation_id=str(causes[position]) if position in causes else None,
            )
        )
    return history


histories: st.SearchStrategy[list[AnyRecorded]] = st.lists(
    st.tuples(st.sampled_from(STEPS), st.integers(0, 2**40)), min_size=10, max_size=80
).map(tell)


def chosen(history: Sequence[AnyRecorded], selector: Selector) -> list[AnyRecorded]:
    """Return what a selector finds in a history, as the log does."""
    return [each for each in history if matches(selector, each.event)]
