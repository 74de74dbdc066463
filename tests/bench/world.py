"""A province in the middle of a roll call: voters with persons, and ballots on which each may vote again and again."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from emulation_saas.access.use_cases import GrantRole, RegisterPerson
from emulation_saas.agencies.use_cases import RegisterAgency
from emulation_saas.ballots.events import Choice, Question, Rule
from emulation_saas.ballots.use_cases import CastVote, OpenBallot
from emulation_saas.blocs.use_cases import AdmitMember, EstablishBloc
from emulation_saas.http.local_issuer import ISSUER
from emulation_saas.kernel.ids import OPERATOR, AgencyId, BallotId, BlocId, PersonId, mint_person
from emulation_saas.kernel.numbers import Share
from emulation_saas.kernel.use_cases import Acting, UseCase
from emulation_saas.log import ProvinceLog, ProvinceLogs
from emulation_saas.provinces.use_cases import OpenProvince
from emulation_saas.years.events import Criterion, Rules, Scheme
from emulation_saas.years.use_cases import OpenYear

BLOC: Final = BlocId("khoi-1")
YEAR: Final = 2024
QUESTION: Final = "co-thi-dua"
OPTIONS: Final = ("so-noi-vu", "so-tu-phap")
"""A voter goes from one to the other, so that each vote replaces the one before and is an event."""
SINCE: Final = date(2020, 1, 1)
CLOSES_AT: Final = datetime(2199, 1, 1, tzinfo=UTC)


class Voter(msgspec.Struct, frozen=True):
    """A member, and the person who votes for it."""

    agency: AgencyId
    person: PersonId
    sub: str


class World(msgspec.Struct, frozen=True):
    """One province, as far as votes are cast in it."""

    province: str
    voters: list[Voter]
    ballots: list[BallotId]


async def build(logs: ProvinceLogs, province: str, *, voters: int, ballots: int) -> World:
    """Open a province with a bloc, its members, their representatives, a year and ballots."""
    admin = Acting(mint_person())
    await logs.open(province, _opening(province, admin.person), by=Acting(OPERATOR))
    log = await logs.find(province)
    assert log is not None
    everybody = [Voter(AgencyId(f"so-{number}"), mint_person(), f"{province}/{number}") for number in range(voters)]
    handles = [BallotId(f"phieu-{number}") for number in range(ballots)]
    await _do(log, admin, [_establishment(), *(_registration(voter.agency) for voter in everybody)])
    await _do(log, admin, [_admission(voter.agency) for voter in everybody])
    await _do(log, admin, [_person(voter) for voter in everybody])
    await _do(log, admin, [_role(voter) for voter in everybody])
    await _do(log, admin, [_year()])
    await _do(log, admin, [_ballot(handle, everybody) for handle in handles])
    return World(province, everybody, handles)


def vote(voter: Voter, ballot: BallotId, option: str) -> CastVote:
    """Return a vote for one option."""
    choice = Choice(question=QUESTION, options=[option])
    return CastVote(bloc=BLOC, year=YEAR, ballot=ballot, agency=voter.agency, choices=(choice,))


async def _do(log: ProvinceLog, by: Acting, use_cases: Sequence[UseCase[Any]]) -> None:
    await asyncio.gather(*(log.execute(use_case, by=by) for use_case in use_cases))


def _opening(province: str, admin: PersonId) -> OpenProvince:
    return OpenProvince(
        province=province,
        name="Tỉnh Đo Đạc",
        kind="tinh",
        code="00",
        effective_on=SINCE,
        legal_basis="NQ 1",
        admin=admin,
        issuer=ISSUER,
        sub=f"{province}/admin",
        admin_name="Nguyễn Thị Đo",
    )


def _establishment() -> EstablishBloc:
    return EstablishBloc(
        bloc=BLOC, name="Khối thi đua số 1", aliases=(), kind="khoi", effective_on=SINCE, legal_basis="QĐ 1"
    )


def _registration(agency: AgencyId) -> RegisterAgency:
    return RegisterAgency(agency=agency, name=f"Sở {agency}", aliases=(), code=msgspec.UNSET, effective_on=SINCE)


def _admission(agency: AgencyId) -> AdmitMember:
    return AdmitMember(bloc=BLOC, agency=agency, effective_on=SINCE, legal_basis="QĐ 1")


def _person(voter: Voter) -> RegisterPerson:
    return RegisterPerson(person=voter.person, issuer=ISSUER, sub=voter.sub, name="Trần Văn Phiếu")


def _role(voter: Voter) -> GrantRole:
    return GrantRole(person=voter.person, role="member-representative", agency=voter.agency)


def _year() -> OpenYear:
    return OpenYear(
        bloc=BLOC,
        year=YEAR,
        scheme=scheme(1),
        rules=Rules(legal_basis="QC 1", leaders_max=1, self_vote=True, disputes_suspend_nominations=False),
    )


def scheme(criteria: int) -> Scheme:
    """Return a scheme of so many scored criteria."""
    return Scheme(
        title="Bảng điểm",
        criteria=[
            Criterion(criterion=f"tieu-chi-{number}", title="Tiêu chí", points_max=Decimal(10))
            for number in range(criteria)
        ],
    )


def _ballot(handle: BallotId, voters: list[Voter]) -> OpenBallot:
    return OpenBallot(
        bloc=BLOC,
        year=YEAR,
        ballot=handle,
        title="Bầu đơn vị dẫn đầu",
        mode="open",
        questions=(Question(question=QUESTION, title="Cờ thi đua", options=list(OPTIONS)),),
        roll=tuple(voter.agency for voter in voters),
        rule=Rule(
            base="electorate",
            threshold=Share(num=1, den=2),
            quorum=Share(num=2, den=3),
            comparison=">",
            seats=1,
            tie="revote",
        ),
        closes_at=CLOSES_AT,
    )
