"""The blocs' commands over HTTP."""

from datetime import date
from typing import Annotated

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from emulation_saas.blocs.events import BlocKind
from emulation_saas.blocs.use_cases import AdmitMember, EstablishBloc, WithdrawMember
from emulation_saas.disputes.events import DisputeUpheld
from emulation_saas.http.bodies import Body, Line
from emulation_saas.http.corrections import Correction, cause_of
from emulation_saas.kernel.ids import AgencyId, BlocId, Handle
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import Accepted, ProvinceLog


class BlocBody(Body, frozen=True, kw_only=True):
    """A bloc to establish."""

    bloc: Handle
    name: Line
    aliases: Annotated[tuple[Line, ...], Meta(max_length=20)] = ()
    kind: BlocKind
    effective_on: date
    legal_basis: Line


class MemberBody(Correction, frozen=True, kw_only=True):
    """An agency to admit, from a day on."""

    agency: Handle
    effective_on: date
    legal_basis: Line


class WithdrawalBody(Correction, frozen=True, kw_only=True):
    """From which day on, why and by which decision a member leaves."""

    effective_on: date
    because: Line
    legal_basis: Line


@post("/blocs", summary="Establish a bloc")
async def establish_bloc(
    data: JSONBody[BlocBody], acting: NamedDependency[Acting], log: NamedDependency[ProvinceLog]
) -> Accepted:
    """Enter the decision that constitutes a bloc, under a permanent handle."""
    establishment = EstablishBloc(
        bloc=BlocId(data.bloc),
        name=data.name,
        aliases=data.aliases,
        kind=data.kind,
        effective_on=data.effective_on,
        legal_basis=data.legal_basis,
        time=data.entered(),
    )
    return await log.execute(establishment, by=acting)


@post("/blocs/{bloc:str}/members", summary="Admit a member from a day on")
async def admit_member(
    bloc: FromPath[str],
    data: JSONBody[MemberBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Make a registered agency a member of the bloc, from a day on."""
    admission = AdmitMember(
        bloc=BlocId(bloc),
        agency=AgencyId(data.agency),
        effective_on=data.effective_on,
        legal_basis=data.legal_basis,
        time=data.entered(),
        causation=await cause_of(data, log, DisputeUpheld, bloc=bloc),
    )
    return await log.execute(admission, by=acting)


@post("/blocs/{bloc:str}/members/{agency:str}/withdraw", summary="Withdraw a member from a day on")
async def withdraw_member(
    bloc: FromPath[str],
    agency: FromPath[str],
    data: JSONBody[WithdrawalBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """End an agency's membership, from a day on and for a stated reason; earlier days keep it."""
    withdrawal = WithdrawMember(
        bloc=BlocId(bloc),
        agency=AgencyId(agency),
        effective_on=data.effective_on,
        because=data.because,
        legal_basis=data.legal_basis,
        time=data.entered(),
        causation=await cause_of(data, log, DisputeUpheld, bloc=bloc),
    )
    return await log.execute(withdrawal, by=acting)


ROUTES = (establish_bloc, admit_member, withdraw_member)
