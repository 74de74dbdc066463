"""The commands of disputes over HTTP."""

from typing import Annotated

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from emulation_saas.disputes.events import About
from emulation_saas.disputes.use_cases import (
    AddEvidence,
    AnswerDispute,
    FileDispute,
    RefuseDispute,
    UpholdDispute,
    WithdrawDispute,
)
from emulation_saas.http.bodies import Body, Text
from emulation_saas.kernel.ids import AgencyId, BlocId, DisputeId, Handle, PersonId
from emulation_saas.kernel.numbers import INTEGER_MAX
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import Accepted, ProvinceLog
from emulation_saas.scoring.events import Evidence

Positions = Annotated[
    list[Annotated[int, Meta(ge=1, le=INTEGER_MAX)]],
    Meta(
        min_length=1,
        max_length=20,
        description="Positions of the contested events; their order, and naming one twice, mean nothing",
        examples=[[115]],
    ),
]
Contested = Annotated[Text, Meta(min_length=1, description="What is wrong, and what is asked for")]


class DisputeBody(Body, frozen=True, kw_only=True):
    """A dispute: whose, about what, against which events, why."""

    dispute: Annotated[Handle, Meta(examples=["kien-nghi-1"])]
    agency: Handle
    about: About
    events: Positions
    text: Contested
    evidence: Annotated[tuple[Evidence, ...], Meta(max_length=20)] = ()


class EvidenceBody(Body, frozen=True, kw_only=True):
    """More evidence for a dispute, by hash."""

    evidence: Annotated[list[Evidence], Meta(min_length=1, max_length=20)]


class AnswerBody(Body, frozen=True, kw_only=True):
    """An explanation of what is contested."""

    text: Annotated[Text, Meta(min_length=1)]


class RulingBody(Body, frozen=True, kw_only=True):
    """Why a dispute is upheld or refused."""

    reasons: Annotated[Text, Meta(min_length=1)]


class WithdrawalOfDisputeBody(Body, frozen=True, kw_only=True):
    """Withdrawing needs to say nothing but, from paper, when it was done."""


@post("/blocs/{bloc:str}/years/{year:int}/disputes", summary="File a dispute")
async def file_dispute(
    bloc: FromPath[str],
    year: FromPath[int],
    data: JSONBody[DisputeBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Contest a score, a rating, a vote, a nomination or a membership, against the events that say so."""
    positions = sorted(set(data.events))
    found = [each for position in positions for each in await log.recorded(after=position - 1, through=position)]
    powers = await log.authorities_at({(each.position, PersonId(each.actor)) for each in found})
    filing = FileDispute(
        bloc=BlocId(bloc),
        year=year,
        dispute=DisputeId(data.dispute),
        agency=AgencyId(data.agency),
        about=data.about,
        positions=tuple(positions),
        found=tuple(found),
        acted_for={position: then.represents for (position, _), then in powers.items()},
        text=data.text,
        evidence=data.evidence,
        time=data.entered(),
    )
    return await log.execute(filing, by=acting)


@post("/blocs/{bloc:str}/years/{year:int}/disputes/{dispute:str}/evidence", summary="Bring more evidence")
async def add_evidence(
    bloc: FromPath[str],
    year: FromPath[int],
    dispute: FromPath[str],
    data: JSONBody[EvidenceBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Support a pending dispute with files that stay with their agency; the log keeps what identifies them."""
    adding = AddEvidence(
        bloc=BlocId(bloc),
        year=year,
        dispute=DisputeId(dispute),
        evidence=tuple(data.evidence),
        time=data.entered(),
    )
    return await log.execute(adding, by=acting)


@post("/blocs/{bloc:str}/years/{year:int}/disputes/{dispute:str}/answers", summary="Answer a dispute")
async def answer_dispute(
    bloc: FromPath[str],
    year: FromPath[int],
    dispute: FromPath[str],
    data: JSONBody[AnswerBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Explain what is contested, as somebody disputed or as who runs the year; several may."""
    answer = AnswerDispute(
        bloc=BlocId(bloc), year=year, dispute=DisputeId(dispute), text=data.text, time=data.entered()
    )
    return await log.execute(answer, by=acting)


@post("/blocs/{bloc:str}/years/{year:int}/disputes/{dispute:str}/uphold", summary="Uphold a dispute")
async def uphold_dispute(
    bloc: FromPath[str],
    year: FromPath[int],
    dispute: FromPath[str],
    data: JSONBody[RulingBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Find a dispute right, with reasons; commands that correct what it contested then name it as `dispute`."""
    ruling = UpholdDispute(
        bloc=BlocId(bloc), year=year, dispute=DisputeId(dispute), reasons=data.reasons, time=data.entered()
    )
    return await log.execute(ruling, by=acting)


@post("/blocs/{bloc:str}/years/{year:int}/disputes/{dispute:str}/refuse", summary="Refuse a dispute")
async def refuse_dispute(
    bloc: FromPath[str],
    year: FromPath[int],
    dispute: FromPath[str],
    data: JSONBody[RulingBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Find a dispute wrong, with reasons; a nomination that rests for it alone goes on."""
    ruling = RefuseDispute(
        bloc=BlocId(bloc), year=year, dispute=DisputeId(dispute), reasons=data.reasons, time=data.entered()
    )
    return await log.execute(ruling, by=acting)


@post("/blocs/{bloc:str}/years/{year:int}/disputes/{dispute:str}/withdraw", summary="Withdraw a dispute")
async def withdraw_dispute(
    bloc: FromPath[str],
    year: FromPath[int],
    dispute: FromPath[str],
    data: JSONBody[WithdrawalOfDisputeBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Take back a pending dispute of an agency that the caller represents."""
    withdrawal = WithdrawDispute(bloc=BlocId(bloc), year=year, dispute=DisputeId(dispute), time=data.entered())
    return await log.execute(withdrawal, by=acting)


ROUTES = (file_dispute, add_evidence, answer_dispute, uphold_dispute, refuse_dispute, withdraw_dispute)
