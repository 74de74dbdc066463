"""The offices' commands over HTTP."""

from typing import Annotated

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from emulation_saas.http.bodies import Body, Line
from emulation_saas.kernel.authority import Office
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId, Handle
from emulation_saas.kernel.numbers import Year
from emulation_saas.kernel.rejections import Invalid
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import Accepted, ProvinceLog
from emulation_saas.offices.use_cases import AppointOfficer, ElectOfficer

ElectingBallot = Annotated[
    Handle,
    Meta(
        description="The ballot that chose the agency, by its question of the office's name: `head` or `deputy`",
        examples=["bau-truong-khoi-2024"],
    ),
]


class ElectedOrAppointed(Invalid):
    """An office is filled by a ballot, or by an authority's document: give either, and not both."""

    code = "elected-or-appointed"


class OfficeBody(Body, frozen=True, kw_only=True):
    """An office to fill: with `ballot`, or with `authority` and `document_no`."""

    office: Office
    for_year: Year
    agency: Annotated[Handle, Meta(examples=["so-noi-vu"])]
    ballot: ElectingBallot | UnsetType = UNSET
    authority: Annotated[Line, Meta(examples=["Chủ tịch UBND tỉnh"])] | UnsetType = UNSET
    document_no: Annotated[Line, Meta(examples=["124/TB-UBND"])] | UnsetType = UNSET

    def read(self, bloc: BlocId) -> ElectOfficer | AppointOfficer:
        """Return what is asked for: an election or an appointment.

        Raises:
            ElectedOrAppointed: it is neither, both, or half an appointment.
        """
        match self.ballot, self.authority, self.document_no:
            case str(ballot), UnsetType(), UnsetType():
                return ElectOfficer(
                    bloc=bloc,
                    office=self.office,
                    for_year=self.for_year,
                    agency=AgencyId(self.agency),
                    ballot=BallotId(ballot),
                    time=self.entered(),
                )
            case UnsetType(), str(authority), str(document_no):
                return AppointOfficer(
                    bloc=bloc,
                    office=self.office,
                    for_year=self.for_year,
                    agency=AgencyId(self.agency),
                    authority=authority,
                    document_no=document_no,
                    time=self.entered(),
                )
            case _:
                raise ElectedOrAppointed


@post("/blocs/{bloc:str}/offices", summary="Fill a bloc's office for a year")
async def fill_office(
    bloc: FromPath[str],
    data: JSONBody[OfficeBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Give an office to the agency that a ballot chose, or that an authority appointed; it replaces the holder."""
    return await log.execute(data.read(BlocId(bloc)), by=acting)


ROUTES = (fill_office,)
