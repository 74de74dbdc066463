"""A bloc: who founds it, who joins and leaves in the middle of which year, and who keeps its books."""

from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Final

from emulation_saas.access.use_cases import GrantRole
from emulation_saas.blocs.events import BlocKind
from emulation_saas.blocs.use_cases import AdmitMember, EstablishBloc, WithdrawMember
from emulation_saas.generating.desk import Desk, morning_of, person_called
from emulation_saas.generating.names import EXPERT_FOR, handle_of
from emulation_saas.generating.roster import SINCE, Agency, Roster, enter_person
from emulation_saas.kernel.ids import BlocId, PersonId
from emulation_saas.offices.use_cases import AppointOfficer

MEMBERS_MIN: Final = 7
MEMBERS_MAX: Final = 12
_CHANGES: Final = 0.3
"""In how many years a member leaves and another joins."""
_BASIS: Final = "Quyết định kiện toàn các khối, cụm thi đua"


@dataclass(frozen=True)
class Bloc:
    """A bloc and all that is settled about its membership."""

    bloc: BlocId
    name: str
    kind: BlocKind
    secretary: PersonId
    expert: PersonId
    founders: tuple[Agency, ...]
    changes: dict[int, tuple[Agency, Agency]] = field(default_factory=dict)
    """By year, who left and who joined on 1 July."""

    def members(self, year: int, *, at_end: bool) -> list[Agency]:
        """Return the members at the beginning or at the end of a year."""
        members = list(self.founders)
        for changed, (leaves, joins) in sorted(self.changes.items()):
            if changed < year or (changed == year and at_end):
                members[members.index(leaves)] = joins
        return members


def bloc_of(roster: Roster, number: int, years: range, chance: Random) -> Bloc:
    """Return a province's bloc of a number, counted from 1: the same for the same chance."""
    bloc = BlocId(f"khoi-{number:04d}")
    pool = roster.agencies
    begin = (number - 1) * MEMBERS_MAX
    near = [pool[(begin + place) % len(pool)] for place in range(min(len(pool), 2 * MEMBERS_MAX))]
    founders = near[: min(chance.randint(MEMBERS_MIN, MEMBERS_MAX), len(near) - 1)]
    members, others = list(founders), near[len(founders) :]
    changes: dict[int, tuple[Agency, Agency]] = {}
    for year in years:
        if others and chance.random() < _CHANGES:
            place = chance.randrange(len(members))
            changes[year] = (members[place], others.pop(0))
            members[place] = changes[year][1]
    return Bloc(
        bloc,
        f"Khối thi đua số {number}",
        "khoi" if chance.random() < 0.5 else "cum",  # noqa: PLR2004 - either is as likely
        person_called(f"{roster.province}/{bloc}-thu-ky"),
        person_called(f"{roster.province}/{bloc}-chuyen-gia"),
        tuple(founders),
        changes,
    )


async def enter_bloc(desk: Desk, roster: Roster, bloc: Bloc, first_year: int) -> None:
    """Establish the bloc with its members, those who keep its books, and the officers of its first year."""
    admin = roster.admin
    await desk.enter(
        admin,
        EstablishBloc(
            bloc=bloc.bloc, name=bloc.name, aliases=(), kind=bloc.kind, effective_on=SINCE, legal_basis=_BASIS
        ),
    )
    secretary = await enter_person(desk, roster, f"{bloc.bloc}-thu-ky", f"Thư ký {bloc.name}")
    await desk.enter(admin, GrantRole(person=secretary, role="bloc-secretary", bloc=bloc.bloc))
    expert = await enter_person(desk, roster, f"{bloc.bloc}-chuyen-gia", f"Cán bộ theo dõi tiêu chí, {bloc.name}")
    criterion = handle_of(EXPERT_FOR)
    await desk.enter(admin, GrantRole(person=expert, role="expert", bloc=bloc.bloc, criterion=criterion))
    await desk.enter_all(
        (admin, AdmitMember(bloc=bloc.bloc, agency=each.agency, effective_on=SINCE, legal_basis=_BASIS))
        for each in bloc.founders
    )
    for office, holder in zip(("head", "deputy"), bloc.members(first_year, at_end=False), strict=False):
        await desk.enter(
            admin,
            AppointOfficer(
                bloc=bloc.bloc,
                office="head" if office == "head" else "deputy",
                for_year=first_year,
                agency=holder.agency,
                authority="Chủ tịch UBND tỉnh",
                document_no=f"{first_year}/TB-UBND",
                time=morning_of(first_year, 1, 3),
            ),
        )


async def enter_change(desk: Desk, roster: Roster, bloc: Bloc, year: int) -> None:
    """Enter who left and who joined in the middle of a year, if anybody did."""
    if year not in bloc.changes:
        return
    leaves, joins = bloc.changes[year]
    day, basis = date(year, 7, 1), f"Quyết định kiện toàn năm {year}"
    await desk.enter(
        roster.admin,
        WithdrawMember(
            bloc=bloc.bloc, agency=leaves.agency, effective_on=day, because="Sắp xếp lại khối", legal_basis=basis
        ),
    )
    await desk.enter(
        roster.admin, AdmitMember(bloc=bloc.bloc, agency=joins.agency, effective_on=day, legal_basis=basis)
    )
