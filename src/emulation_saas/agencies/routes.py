"""The agencies' commands over HTTP."""

from datetime import date
from typing import Annotated

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from emulation_saas.agencies.use_cases import AddAgencyAlias, RegisterAgency, RenameAgency
from emulation_saas.http.bodies import Body, Line
from emulation_saas.kernel.ids import AgencyId, Handle
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import Accepted, ProvinceLog


class AgencyBody(Body, frozen=True, kw_only=True):
    """An agency to register."""

    agency: Handle
    name: Line
    aliases: Annotated[tuple[Line, ...], Meta(max_length=20)] = ()
    code: Line | UnsetType = UNSET
    effective_on: date


class RenameBody(Body, frozen=True, kw_only=True):
    """A new name, from a day on."""

    name: Line
    effective_on: date
    legal_basis: Line


class AliasBody(Body, frozen=True, kw_only=True):
    """Another way of writing the name."""

    alias: Line


@post("/agencies", summary="Register an agency")
async def register_agency(
    data: JSONBody[AgencyBody], acting: NamedDependency[Acting], log: NamedDependency[ProvinceLog]
) -> Accepted:
    """Make an agency known under a permanent handle."""
    registration = RegisterAgency(
        agency=AgencyId(data.agency),
        name=data.name,
        aliases=data.aliases,
        code=data.code,
        effective_on=data.effective_on,
        time=data.entered(),
    )
    return await log.execute(registration, by=acting)


@post("/agencies/{agency:str}/rename", summary="Rename an agency from a day on")
async def rename_agency(
    agency: FromPath[str],
    data: JSONBody[RenameBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Give the agency another name from a day on; earlier days keep theirs."""
    renaming = RenameAgency(
        agency=AgencyId(agency),
        name=data.name,
        effective_on=data.effective_on,
        legal_basis=data.legal_basis,
        time=data.entered(),
    )
    return await log.execute(renaming, by=acting)


@post("/agencies/{agency:str}/aliases", summary="Note another way of writing an agency's name")
async def add_agency_alias(
    agency: FromPath[str],
    data: JSONBody[AliasBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Note another way in which documents write the name."""
    alias = AddAgencyAlias(agency=AgencyId(agency), alias=data.alias, time=data.entered())
    return await log.execute(alias, by=acting)


ROUTES = (register_agency, rename_agency, add_agency_alias)
