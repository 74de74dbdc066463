"""The pledges' commands over HTTP."""

from typing import Annotated

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from emulation_saas.http.bodies import Body, OfficialBody, Text
from emulation_saas.kernel.ids import AgencyId, BlocId, Handle
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import Accepted, ProvinceLog
from emulation_saas.pledges.use_cases import DraftPledge, SignPledge


class PledgeBody(Body, frozen=True, kw_only=True):
    """The pledge's text."""

    text: Annotated[Text, Meta(min_length=1, examples=["Thực hiện tốt các phong trào thi đua năm 2024"])]


class SignatureBody(Body, frozen=True, kw_only=True):
    """Which member signs, and by whom."""

    agency: Annotated[Handle, Meta(examples=["so-tu-phap"])]
    signed_by: OfficialBody


@post("/blocs/{bloc:str}/years/{year:int}/pledge", summary="Draft or replace the year's pledge")
async def draft_pledge(
    bloc: FromPath[str],
    year: FromPath[int],
    data: JSONBody[PledgeBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Give the pledge its text; it may be replaced until somebody signs."""
    draft = DraftPledge(bloc=BlocId(bloc), year=year, text=data.text, time=data.entered())
    return await log.execute(draft, by=acting)


@post("/blocs/{bloc:str}/years/{year:int}/pledge/signatures", summary="Sign the year's pledge")
async def sign_pledge(
    bloc: FromPath[str],
    year: FromPath[int],
    data: JSONBody[SignatureBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Sign for a member by its named officer."""
    signature = SignPledge(
        bloc=BlocId(bloc),
        year=year,
        agency=AgencyId(data.agency),
        signed_by=data.signed_by.official(),
        time=data.entered(),
    )
    return await log.execute(signature, by=acting)


ROUTES = (draft_pledge, sign_pledge)
