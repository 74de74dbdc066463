"""In what capacity somebody acted: the roles and offices that a person held then, as far as they matter in one bloc."""

import msgspec
from msgspec import UNSET, UnsetType

from emulation_saas.kernel.authority import Authority, Office, Role
from emulation_saas.kernel.ids import AgencyId, BlocId


class RoleThen(msgspec.Struct, frozen=True, kw_only=True):
    """A role as it was held."""

    role: Role
    agency: AgencyId | UnsetType = UNSET
    """Whom a representative represented."""
    criterion: str | UnsetType = UNSET
    """What an expert was an expert for."""


class OfficeThen(msgspec.Struct, frozen=True, kw_only=True):
    """An office of the bloc, held through an agency that the person represented."""

    office: Office
    for_year: int


class Capacity(msgspec.Struct, frozen=True, kw_only=True):
    """All roles and offices in which a person could act; none for a platform operator."""

    roles: list[RoleThen]
    offices: list[OfficeThen]


def capacity_in(bloc: BlocId, then: Authority) -> Capacity:
    """Return what somebody's powers were in a bloc: those over the province, and those in that bloc."""
    roles: list[RoleThen] = []
    if then.is_admin:
        roles.append(RoleThen(role="province-admin"))
    if then.is_council:
        roles.append(RoleThen(role="council-member"))
    if bloc in then.secretary_of:
        roles.append(RoleThen(role="bloc-secretary"))
    if bloc in then.blocs:
        roles += [RoleThen(role="member-representative", agency=agency) for agency in sorted(then.represents)]
    of_bloc = f"{bloc}/"
    roles += [
        RoleThen(role="expert", criterion=criterion.removeprefix(of_bloc))
        for criterion in sorted(then.expert_for)
        if criterion.startswith(of_bloc)
    ]
    offices = [OfficeThen(office=office, for_year=year) for held, year, office in sorted(then.offices) if held == bloc]
    return Capacity(roles=roles, offices=offices)
