"""Commands that carry out a ruling: they name the dispute that was upheld, and their events say so."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from emulation_saas.http.bodies import Body
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import Handle
from emulation_saas.kernel.use_cases import NO_CAUSE, Selector
from emulation_saas.log import ProvinceLog


class Correction(Body, frozen=True, kw_only=True):
    """The body of a command by which what a dispute demanded may be done."""

    dispute: Annotated[Handle, Meta(description="The upheld dispute that this carries out")] | UnsetType = UNSET


async def cause_of(
    data: Correction, log: ProvinceLog, ruling: type[Event], *, bloc: str, year: int | None = None
) -> int | None:
    """Return the position of the ruling that a correction carries out; None where it names no dispute.

    What was upheld stays upheld, so this is never stale. Where there is no such ruling of that bloc (and year) it
    returns `NO_CAUSE`, for which the correction is refused when it is decided: after its key and its powers.

    Args:
        data: the command's body.
        log: of the province.
        ruling: the event type by which disputes are upheld.
        bloc: whose correction it is.
        year: of which year; None for what belongs to no year.
    """
    if data.dispute is UNSET:
        return None
    place = f"bloc:{bloc}" if year is None else f"year:{bloc}/{year}"
    rulings = await log.recorded([Selector(types=[ruling], tags=[place, f"dispute:{data.dispute}"])], limit=1)
    return rulings[0].position if rulings else NO_CAUSE
