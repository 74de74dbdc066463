"""The meetings' commands over HTTP."""

from datetime import date
from typing import Annotated

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from emulation_saas.http.bodies import Body, Line, OfficialBody, moment
from emulation_saas.kernel.ids import AgencyId, BlocId, Handle, MeetingId
from emulation_saas.kernel.numbers import Year
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import Accepted, ProvinceLog
from emulation_saas.meetings.use_cases import HoldMeeting


class AttendanceBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who was there: member agencies by handle, others as the minutes put it."""

    members: Annotated[list[Handle], Meta(max_length=100, examples=[["so-noi-vu", "so-tu-phap"]])]
    others: Annotated[tuple[Line, ...], Meta(max_length=50)] = ()


class MeetingBody(Body, frozen=True, kw_only=True):
    """A meeting that was held. At least one of the two years is given."""

    meeting: Annotated[Handle, Meta(examples=["tong-ket-2023"])]
    held_on: date
    place: Annotated[Line, Meta(examples=["phòng họp Sở Tư pháp"])]
    chairs: Annotated[list[OfficialBody], Meta(min_length=1, max_length=10)]
    attendance: AttendanceBody
    covers_year: Year | UnsetType = UNSET
    plans_year: Year | UnsetType = UNSET


@post("/blocs/{bloc:str}/meetings", summary="Enter a meeting that was held")
async def hold_meeting(
    bloc: FromPath[str],
    data: JSONBody[MeetingBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Enter a meeting from its minutes; where no time is given it counts from the start of its day."""
    meeting = HoldMeeting(
        bloc=BlocId(bloc),
        meeting=MeetingId(data.meeting),
        held_on=data.held_on,
        place=data.place,
        chairs=tuple(chair.official() for chair in data.chairs),
        members=tuple(AgencyId(agency) for agency in data.attendance.members),
        others=data.attendance.others,
        covers_year=data.covers_year,
        plans_year=data.plans_year,
        time=data.entered() or moment(data.held_on.isoformat()),
    )
    return await log.execute(meeting, by=acting)


ROUTES = (hold_meeting,)
