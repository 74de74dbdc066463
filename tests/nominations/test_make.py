"""The bloc nominates members for awards."""

import pytest
from msgspec import UNSET, UnsetType

from emulation_saas.ballots.events import BallotNotCounted, NotChosen
from emulation_saas.blocs.events import NotAMember
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId, NominationId
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.nominations.events import Award
from emulation_saas.nominations.use_cases import (
    AlreadyNominated,
    LegalBasisNeeded,
    MakeNomination,
    NominationHandleTaken,
)
from emulation_saas.years.events import NoSuchYear, YearOver
from tests.nominations.proposed import BALLOT, N1, counted, forwarded, made, resumed, suspended, yielded
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, given, heading, representing, secretary_of
from tests.scoring.bloc_year import OUTSIDER, SNV, TM1, TTR, members, over, the_year

N2 = NominationId("co-tinh-2023")


def make(
    award: Award = "gov_flag",
    *,
    nomination: NominationId = N1,
    agency: AgencyId = TTR,
    ballot: BallotId | UnsetType = UNSET,
    because: str = "",
    legal_basis: str = "Luật 06/2022/QH15, Điều 25",
) -> MakeNomination:
    return MakeNomination(
        bloc=TM1,
        year=2023,
        nomination=nomination,
        agency=agency,
        award=award,
        ballot=ballot,
        because=because,
        legal_basis=legal_basis,
    )


@pytest.mark.parametrize("may", [ADMIN, secretary_of(TM1), heading(TM1, 2023, TTR)])
def test_whoever_runs_the_year_makes_a_nomination(may: Authority) -> None:
    given(*the_year).when(make(), may).then(made())


@pytest.mark.parametrize("may", [NOBODY, COUNCIL, AUDITOR, representing(TTR, blocs=[TM1]), heading(TM1, 2024, TTR)])
def test_nobody_else_makes_one(may: Authority) -> None:
    given(*the_year).when(make(), may).then_rejected(NotEmpowered)


def test_nomination_keeps_its_ballot_and_reason() -> None:
    resting = make(ballot=BALLOT, because="Dẫn đầu khối")
    given(*the_year, counted(TTR)).when(resting, ADMIN).then(made(ballot=BALLOT, because="Dẫn đầu khối"))


def test_ballot_of_a_nomination_was_counted_and_chose_the_nominee() -> None:
    given(*the_year).when(make(ballot=BALLOT), ADMIN).then_rejected(BallotNotCounted)
    given(*the_year, counted(SNV)).when(make(ballot=BALLOT), ADMIN).then_rejected(NotChosen)


def test_only_members_of_the_year_are_nominated() -> None:
    given(*the_year).when(make(agency=OUTSIDER), ADMIN).then_rejected(NotAMember)


def test_year_must_be_open() -> None:
    given(*members).when(make(), ADMIN).then_rejected(NoSuchYear)
    given(*the_year, over).when(make(), ADMIN).then_rejected(YearOver)


@pytest.mark.parametrize("legal_basis", ["", " ", "\ufeff"])
def test_nomination_states_its_legal_basis(legal_basis: str) -> None:
    given(*the_year).when(make(legal_basis=legal_basis), ADMIN).then_rejected(LegalBasisNeeded)


@pytest.mark.parametrize("namesake", [made("pm_certificate"), made(agency=SNV), made(bloc=BlocId("tham-muu-2"))])
def test_handle_is_never_reused_in_the_province(namesake: Event) -> None:
    given(*the_year, namesake).when(make(), ADMIN).then_rejected(NominationHandleTaken)


def test_nomination_made_again_stays_the_same_whatever_happened_to_it() -> None:
    given(*the_year, made(), suspended()).when(make(), ADMIN).then_recorded_nothing()


@pytest.mark.parametrize(
    "history",
    [
        (made(),),
        (made("prov_flag"),),
        (made(), suspended()),
        (made(), suspended(), resumed()),
        (made("prov_flag"), forwarded()),
    ],
)
@pytest.mark.parametrize("award", ["gov_flag", "prov_flag"])
def test_agency_is_nominated_for_one_flag(history: tuple[Event, ...], award: Award) -> None:
    given(*the_year, *history).when(make(award, nomination=N2), ADMIN).then_rejected(AlreadyNominated)


def test_agency_is_nominated_for_an_award_once() -> None:
    again = make("prov_certificate", nomination=N2)
    given(*the_year, made("prov_certificate")).when(again, ADMIN).then_rejected(AlreadyNominated)


def test_agency_may_be_nominated_for_a_flag_and_a_certificate() -> None:
    certificate = make("prov_certificate", nomination=N2)
    given(*the_year, made()).when(certificate, ADMIN).then(made("prov_certificate", nomination=N2))


def test_award_may_have_several_nominees() -> None:
    given(*the_year, made()).when(make(nomination=N2, agency=SNV), ADMIN).then(made(nomination=N2, agency=SNV))


def test_nomination_in_another_bloc_is_not_in_the_way() -> None:
    elsewhere = made(bloc=BlocId("tham-muu-2"))
    given(*the_year, elsewhere).when(make(nomination=N2), ADMIN).then(made(nomination=N2))


@pytest.mark.parametrize("award", ["gov_flag", "prov_flag"])
def test_yielded_nomination_frees_its_place(award: Award) -> None:
    given(*the_year, made(), yielded()).when(make(award, nomination=N2), ADMIN).then(made(award, nomination=N2))
