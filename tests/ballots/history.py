"""What the tests of ballots begin with: a bloc of three members, its year 2023, a ballot of either sort."""

from datetime import UTC, date, datetime
from typing import Final

from msgspec import UNSET, UnsetType

from emulation_saas.ballots.events import (
    BallotClosed,
    BallotCounted,
    BallotOpened,
    Choice,
    Mode,
    OptionVotes,
    Outcome,
    Question,
    Rule,
    VoteCast,
)
from emulation_saas.blocs.events import MemberAdmitted
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId
from emulation_saas.kernel.numbers import Share
from emulation_saas.years.events import Rules, Scheme, YearClosed, YearOpened

TM1: Final = BlocId("tham-muu-1")
YEAR: Final = 2023
FLAG: Final = BallotId("prov-flag-2023")
SNV, STP, TTR = AgencyId("so-noi-vu"), AgencyId("so-tu-phap"), AgencyId("thanh-tra")
STRANGER: Final = AgencyId("so-y-te")
CLOSES_AT: Final = datetime(2024, 1, 30, 10, 0, tzinfo=UTC)
MINUTES_OF: Final = datetime(2024, 1, 30, 2, 0, tzinfo=UTC)

HALF, TWO_THIRDS = Share(num=1, den=2), Share(num=2, den=3)
RULE: Final = Rule(base="electorate", threshold=HALF, quorum=TWO_THIRDS, comparison=">", seats=1, tie="revote")
QUESTIONS: Final = (
    Question(question="flag", title="Cờ thi đua của UBND tỉnh", options=["so-noi-vu", "so-tu-phap", "thanh-tra"]),
    Question(question="head", title="Khối trưởng năm 2024", options=["so-noi-vu", "thanh-tra"]),
)
ROLL: Final = (SNV, STP, TTR)


def year_opened(*, self_vote: bool = True) -> YearOpened:
    rules = Rules(legal_basis="QĐ 01/2023", leaders_max=1, self_vote=self_vote, disputes_suspend_nominations=False)
    return YearOpened(bloc=TM1, year=YEAR, scheme=Scheme(title="100 điểm", criteria=[]), rules=rules)


def admitted(agency: AgencyId, on: date = date(2020, 1, 1)) -> MemberAdmitted:
    return MemberAdmitted(bloc=TM1, agency=agency, effective_on=on, legal_basis="QĐ 05/2020")


BEFORE: Final[tuple[Event, ...]] = (admitted(SNV), admitted(STP), admitted(TTR), year_opened())
year_closed: Final = YearClosed(bloc=TM1, year=YEAR)


def ballot_opened(
    mode: Mode = "open",
    *,
    closes_at: datetime | UnsetType = UNSET,
    rule: Rule = RULE,
    questions: tuple[Question, ...] = QUESTIONS,
) -> BallotOpened:
    return BallotOpened(
        bloc=TM1,
        year=YEAR,
        ballot=FLAG,
        title="Suy tôn năm 2023",
        mode=mode,
        questions=list(questions),
        roll=list(ROLL),
        rule=rule,
        closes_at=CLOSES_AT if mode == "open" else closes_at,
    )


ROLL_CALL: Final = ballot_opened()
ON_PAPER: Final = ballot_opened("paper_secret")
closed: Final = BallotClosed(bloc=TM1, year=YEAR, ballot=FLAG)


def marks(flag: str | None = None, head: str | None = None) -> list[Choice]:
    return [
        Choice(question=question, options=[option])
        for question, option in (("flag", flag), ("head", head))
        if option is not None
    ]


def vote(agency: AgencyId, flag: str | None = None, head: str | None = None) -> VoteCast:
    return VoteCast(bloc=TM1, year=YEAR, ballot=FLAG, agency=agency, choices=marks(flag, head))


def votes(*, flag: tuple[int, int, int], head: tuple[int, int]) -> list[OptionVotes]:
    return [
        OptionVotes(question=question.question, option=option, votes=number)
        for question, numbers in zip(QUESTIONS, (flag, head), strict=True)
        for option, number in zip(question.options, numbers, strict=True)
    ]


def counted(voted: int, got: list[OptionVotes], *outcomes: Outcome, invalid: int = 0) -> BallotCounted:
    return BallotCounted(
        bloc=TM1,
        year=YEAR,
        ballot=FLAG,
        present=voted,
        issued=voted,
        collected=voted,
        valid=voted - invalid,
        invalid=invalid,
        votes=got,
        outcomes=list(outcomes),
    )


def outcome(question: str, chosen: list[str] | None = None, tied: list[str] | None = None) -> Outcome:
    return Outcome(question=question, chosen=chosen or [], tied=tied or [])
