"""The province itself: its opening, its agencies and those who act for them, and its council."""

from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Final

from msgspec import UNSET

from emulation_saas.access.use_cases import GrantRole, RegisterPerson
from emulation_saas.agencies.use_cases import RegisterAgency, RenameAgency
from emulation_saas.generating.desk import Desk, person_called
from emulation_saas.generating.names import COMMUNES, DEPARTMENTS, handle_of
from emulation_saas.http.local_issuer import ISSUER
from emulation_saas.kernel.ids import AgencyId, PersonId
from emulation_saas.provinces.use_cases import OpenProvince

SINCE: Final = date(1997, 1, 1)
"""From when the province, its agencies and its blocs count: before the first year of any plan."""
_REFORM: Final = date(2025, 3, 1)
_RENAMED: Final = 0.05


@dataclass(frozen=True)
class Agency:
    """An agency and the person who acts for it."""

    agency: AgencyId
    name: str
    representative: PersonId


@dataclass(frozen=True)
class Roster:
    """Who there is in a province before it has blocs."""

    province: str
    described: str
    """From which arguments it was made."""
    agencies: tuple[Agency, ...]

    @property
    def admin(self) -> PersonId:
        """The administrator."""
        return person_called(f"{self.province}/admin")

    @property
    def council(self) -> PersonId:
        """A member of the province's council, who decides disputes."""
        return person_called(f"{self.province}/council")

    def opening(self) -> OpenProvince:
        """Return the command that opens the province, and says that it is made up."""
        return OpenProvince(
            province=self.province,
            name=f"Tỉnh {self.province} (dữ liệu sinh)",
            kind="tinh",
            code="00",
            effective_on=SINCE,
            legal_basis=f"Dữ liệu sinh để thử tải, không có thật: {self.described}",
            admin=self.admin,
            issuer=ISSUER,
            sub="admin",
            admin_name="Quản trị viên của tỉnh",
        )


def roster_of(province: str, *, agencies: int, described: str) -> Roster:
    """Return the roster with so many agencies, or as many as there are names for."""
    names = (*DEPARTMENTS, *COMMUNES)[:agencies]
    known = [
        Agency(AgencyId(handle_of(name)), name, person_called(f"{province}/representative/{handle_of(name)}"))
        for name in names
    ]
    return Roster(province, described, tuple(known))


async def enter_roster(desk: Desk, roster: Roster, chance: Random) -> None:
    """Register agencies and persons, and give the persons their roles; the council's comes last."""
    admin = roster.admin
    named = {agency.agency: agency for agency in roster.agencies}
    await desk.enter_all(
        (admin, RegisterAgency(agency=handle, name=each.name, aliases=(), code=UNSET, effective_on=SINCE))
        for handle, each in named.items()
    )
    renamed = [each for each in roster.agencies[1:] if chance.random() < _RENAMED] or [roster.agencies[0]]
    await desk.enter_all(
        (
            admin,
            RenameAgency(
                agency=each.agency,
                name=f"{each.name} (mới)",
                effective_on=_REFORM,
                legal_basis="Nghị quyết về sắp xếp bộ máy",
            ),
        )
        for each in renamed
    )
    await desk.enter_all(
        (
            admin,
            RegisterPerson(
                person=each.representative, issuer=ISSUER, sub=each.agency, name=f"Cán bộ thi đua {each.name}"
            ),
        )
        for each in roster.agencies
    )
    await desk.enter_all(
        (admin, GrantRole(person=each.representative, role="member-representative", agency=each.agency))
        for each in roster.agencies
    )
    await enter_person(desk, roster, "council", "Ủy viên Hội đồng Thi đua - Khen thưởng tỉnh")
    await desk.enter(admin, GrantRole(person=roster.council, role="council-member"))


async def enter_person(desk: Desk, roster: Roster, sub: str, name: str) -> PersonId:
    """Register a person whose token's subject is `sub`; return the id."""
    person = person_called(f"{roster.province}/{sub}")
    await desk.enter(roster.admin, RegisterPerson(person=person, issuer=ISSUER, sub=sub, name=name))
    return person
