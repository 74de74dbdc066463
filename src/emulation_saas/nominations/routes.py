"""The commands of acclaim and nomination over HTTP."""

from typing import Annotated

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from emulation_saas.disputes.events import DisputeUpheld
from emulation_saas.http.bodies import Body, Line, Text
from emulation_saas.http.corrections import Correction, cause_of
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId, Handle, NominationId
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import Accepted, ProvinceLog
from emulation_saas.nominations.events import Award, Method
from emulation_saas.nominations.use_cases import (
    AcclaimLeader,
    ForwardNomination,
    MakeNomination,
    ResumeNomination,
    SuspendNomination,
    YieldNomination,
)


class LeaderBody(Correction, frozen=True, kw_only=True):
    """The leading unit, how it was acclaimed, and why where the ranking says otherwise."""

    agency: Handle
    method: Method
    ballot: Handle | UnsetType = UNSET
    because: Text = ""


class NominationBody(Correction, frozen=True, kw_only=True):
    """A member and the award for which it is nominated."""

    nomination: Handle
    agency: Handle
    award: Award
    ballot: Handle | UnsetType = UNSET
    because: Text = ""
    legal_basis: Line


class YieldBody(Correction, frozen=True, kw_only=True):
    """Why the nominee withdraws; it need not say."""

    because: Text = ""


class ReasonBody(Correction, frozen=True, kw_only=True):
    """Why a nomination rests or goes on."""

    because: Annotated[Text, Meta(min_length=1)]


class ForwardBody(Body, frozen=True, kw_only=True):
    """The number of the submission."""

    document_no: Line


def _ballot(ballot: str | UnsetType) -> BallotId | UnsetType:
    return UNSET if ballot is UNSET else BallotId(ballot)


@post("/blocs/{bloc:str}/years/{year:int}/leader", summary="Acclaim a leading unit")
async def acclaim_leader(
    bloc: FromPath[str],
    year: FromPath[int],
    data: JSONBody[LeaderBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Acclaim a leading unit of the year; it need not be the one with the top score."""
    acclaim = AcclaimLeader(
        bloc=BlocId(bloc),
        year=year,
        agency=AgencyId(data.agency),
        method=data.method,
        ballot=_ballot(data.ballot),
        because=data.because,
        time=data.entered(),
        causation=await cause_of(data, log, DisputeUpheld, bloc=bloc, year=year),
    )
    return await log.execute(acclaim, by=acting)


@post("/blocs/{bloc:str}/years/{year:int}/nominations", summary="Nominate a member for an award")
async def make_nomination(
    bloc: FromPath[str],
    year: FromPath[int],
    data: JSONBody[NominationBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Nominate a member for an award, under a handle of its own."""
    making = MakeNomination(
        bloc=BlocId(bloc),
        year=year,
        nomination=NominationId(data.nomination),
        agency=AgencyId(data.agency),
        award=data.award,
        ballot=_ballot(data.ballot),
        because=data.because,
        legal_basis=data.legal_basis,
        time=data.entered(),
        causation=await cause_of(data, log, DisputeUpheld, bloc=bloc, year=year),
    )
    return await log.execute(making, by=acting)


@post("/blocs/{bloc:str}/years/{year:int}/nominations/{nomination:str}/yield", summary="Withdraw in favour of others")
async def yield_nomination(
    bloc: FromPath[str],
    year: FromPath[int],
    nomination: FromPath[str],
    data: JSONBody[YieldBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Withdraw the nominee in favour of others."""
    yielding = YieldNomination(
        bloc=BlocId(bloc),
        year=year,
        nomination=NominationId(nomination),
        because=data.because,
        time=data.entered(),
        causation=await cause_of(data, log, DisputeUpheld, bloc=bloc, year=year),
    )
    return await log.execute(yielding, by=acting)


@post("/blocs/{bloc:str}/years/{year:int}/nominations/{nomination:str}/suspend", summary="Let a nomination rest")
async def suspend_nomination(
    bloc: FromPath[str],
    year: FromPath[int],
    nomination: FromPath[str],
    data: JSONBody[ReasonBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Let a nomination rest, as while a case is open."""
    suspending = SuspendNomination(
        bloc=BlocId(bloc),
        year=year,
        nomination=NominationId(nomination),
        because=data.because,
        time=data.entered(),
        causation=await cause_of(data, log, DisputeUpheld, bloc=bloc, year=year),
    )
    return await log.execute(suspending, by=acting)


@post("/blocs/{bloc:str}/years/{year:int}/nominations/{nomination:str}/resume", summary="Let a nomination go on")
async def resume_nomination(
    bloc: FromPath[str],
    year: FromPath[int],
    nomination: FromPath[str],
    data: JSONBody[ReasonBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Let a suspended nomination go on; the vote is not repeated."""
    resuming = ResumeNomination(
        bloc=BlocId(bloc),
        year=year,
        nomination=NominationId(nomination),
        because=data.because,
        time=data.entered(),
        causation=await cause_of(data, log, DisputeUpheld, bloc=bloc, year=year),
    )
    return await log.execute(resuming, by=acting)


@post("/blocs/{bloc:str}/years/{year:int}/nominations/{nomination:str}/forward", summary="Forward a nomination")
async def forward_nomination(
    bloc: FromPath[str],
    year: FromPath[int],
    nomination: FromPath[str],
    data: JSONBody[ForwardBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Forward a nomination to the standing body, under a submission's number."""
    forwarding = ForwardNomination(
        bloc=BlocId(bloc),
        year=year,
        nomination=NominationId(nomination),
        document_no=data.document_no,
        time=data.entered(),
    )
    return await log.execute(forwarding, by=acting)


ROUTES = (
    acclaim_leader,
    make_nomination,
    yield_nomination,
    suspend_nomination,
    resume_nomination,
    forward_nomination,
)
