"""The only module that knows every part: which event types there are, how authority is folded, what answers which route."""

from typing import Final

from emulation_saas.access import events as access
from emulation_saas.access.authority import DIRECTORY_FACTS, directory_after, initial_directory
from emulation_saas.agencies import events as agencies
from emulation_saas.ballots import events as ballots
from emulation_saas.blocs import events as blocs
from emulation_saas.kernel.events import Event
from emulation_saas.log import AuthorityFold
from emulation_saas.log import events as log
from emulation_saas.meetings import events as meetings
from emulation_saas.nominations import events as nominations
from emulation_saas.offices import events as offices
from emulation_saas.pledges import events as pledges
from emulation_saas.provinces import events as provinces
from emulation_saas.ratings import events as ratings
from emulation_saas.scoring import events as scoring
from emulation_saas.years import events as years

EVENT_TYPES: Final[tuple[type[Event], ...]] = (
    *log.EVENTS,
    *provinces.EVENTS,
    *access.EVENTS,
    *agencies.EVENTS,
    *blocs.EVENTS,
    *years.EVENTS,
    *pledges.EVENTS,
    *scoring.EVENTS,
    *ratings.EVENTS,
    *ballots.EVENTS,
    *nominations.EVENTS,
    *offices.EVENTS,
    *meetings.EVENTS,
)
AUTHORITY: Final = AuthorityFold(DIRECTORY_FACTS, initial_directory, directory_after)
