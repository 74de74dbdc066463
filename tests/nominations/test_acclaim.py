"""The bloc acclaims its leading unit."""

import pytest
from msgspec import UNSET, UnsetType

from emulation_saas.ballots.events import BallotCounted, BallotNotCounted, NotChosen
from emulation_saas.blocs.events import NotAMember
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.nominations.events import Method
from emulation_saas.nominations.use_cases import AcclaimLeader, BallotNeeded, EnoughLeaders
from emulation_saas.scoring.events import ReasonNeeded
from emulation_saas.years.events import NoSuchYear, YearOver
from tests.nominations.proposed import BALLOT, acclaimed, counted
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, given, heading, representing, secretary_of
from tests.scoring.bloc_year import OUTSIDER, SNV, STP, TM1, TTR, members, opened, over, the_year
from tests.scoring.scores import frozen


def acclaim(
    agency: AgencyId = TTR,
    *,
    method: Method = "consensus",
    ballot: BallotId | UnsetType = UNSET,
    because: str = "",
) -> AcclaimLeader:
    return AcclaimLeader(bloc=TM1, year=2023, agency=agency, method=method, ballot=ballot, because=because)


@pytest.mark.parametrize("may", [ADMIN, secretary_of(TM1), heading(TM1, 2023, TTR)])
def test_whoever_runs_the_year_enters_the_acclaim(may: Authority) -> None:
    given(*the_year).when(acclaim(), may).then(acclaimed())


@pytest.mark.parametrize("may", [NOBODY, COUNCIL, AUDITOR, representing(TTR, blocs=[TM1]), heading(TM1, 2024, TTR)])
def test_nobody_else_enters_it(may: Authority) -> None:
    given(*the_year).when(acclaim(), may).then_rejected(NotEmpowered)


@pytest.mark.parametrize("method", ["show_of_hands", "consensus", "ranking", "not_stated"])
def test_only_an_acclaim_by_ballot_needs_a_ballot(method: Method) -> None:
    given(*the_year).when(acclaim(method=method), ADMIN).then(acclaimed(method=method))


def test_acclaim_by_ballot_names_the_ballot() -> None:
    given(*the_year, counted(TTR)).when(acclaim(method="ballot"), ADMIN).then_rejected(BallotNeeded)


def test_ballot_that_chose_the_agency_on_any_question_carries_the_acclaim() -> None:
    by_ballot = acclaim(method="ballot", ballot=BALLOT)
    given(*the_year, counted(STP, TTR)).when(by_ballot, ADMIN).then(acclaimed(method="ballot", ballot=BALLOT))


@pytest.mark.parametrize(
    "elsewhere",
    [
        counted(TTR, ballot=BallotId("khac")),
        counted(TTR, year=2022),
        counted(TTR, bloc=BlocId("tham-muu-2")),
    ],
)
def test_ballot_was_counted_in_that_year_of_that_bloc(elsewhere: BallotCounted) -> None:
    by_ballot = acclaim(method="ballot", ballot=BALLOT)
    given(*the_year, elsewhere).when(by_ballot, ADMIN).then_rejected(BallotNotCounted)


@pytest.mark.parametrize("method", ["ballot", "show_of_hands"])
def test_ballot_that_chose_another_carries_nothing(method: Method) -> None:
    by_ballot = acclaim(method=method, ballot=BALLOT)
    given(*the_year, counted(STP)).when(by_ballot, ADMIN).then_rejected(NotChosen)


def test_only_members_of_the_year_are_acclaimed() -> None:
    given(*the_year).when(acclaim(OUTSIDER), ADMIN).then_rejected(NotAMember)


def test_year_must_be_open() -> None:
    given(*members).when(acclaim(), ADMIN).then_rejected(NoSuchYear)
    given(*the_year, over).when(acclaim(), ADMIN).then_rejected(YearOver)


def test_no_more_leaders_than_the_rules_allow() -> None:
    given(*the_year, acclaimed()).when(acclaim(SNV), ADMIN).then_rejected(EnoughLeaders)


def test_second_leader_where_the_rules_allow_two() -> None:
    given(*members, opened(leaders_max=2), acclaimed()).when(acclaim(SNV), ADMIN).then(acclaimed(SNV))


def test_acclaim_of_the_same_unit_is_corrected_without_another_place() -> None:
    by_hands = acclaim(method="show_of_hands")
    given(*the_year, acclaimed()).when(by_hands, ADMIN).then(acclaimed(method="show_of_hands"))


@pytest.mark.parametrize("because", ["", " ", "\ufeff"])
def test_acclaim_against_the_ranking_gives_a_reason(because: str) -> None:
    history = (*the_year, frozen(1, (SNV, "90", 1), (TTR, "80", 2)))
    given(*history).when(acclaim(because=because), ADMIN).then_rejected(ReasonNeeded)


def test_acclaim_against_the_ranking_stands_with_its_reason() -> None:
    history = (*the_year, frozen(1, (SNV, "90", 1), (TTR, "80", 2)))
    given(*history).when(acclaim(because="SNV xin rút"), ADMIN).then(acclaimed(because="SNV xin rút"))


def test_one_of_those_who_share_the_top_needs_no_reason() -> None:
    history = (*the_year, frozen(1, (SNV, "90", 1), (TTR, "90", 1), (STP, "1", 3)))
    given(*history).when(acclaim(), ADMIN).then(acclaimed())


def test_newest_version_of_the_ranking_counts() -> None:
    history = (*the_year, frozen(1, (SNV, "90", 1), (TTR, "80", 2)), frozen(2, (TTR, "95", 1), (SNV, "90", 2)))
    given(*history).when(acclaim(), ADMIN).then(acclaimed())
