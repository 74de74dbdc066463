"""The questions asked of a province's log, one module each. See README.md for the rule of this folder."""

from typing import Final

from emulation_saas.projecting.projection import AnyProjection
from projections.deadlines import Deadlines
from projections.docket import Docket
from projections.nominees import Nominees
from projections.office_holders import OfficeHolders
from projections.pledge_book import PledgeBook
from projections.province import Province
from projections.ratings import Ratings
from projections.roster import Roster
from projections.standings import Standings
from projections.tallies import Tallies
from projections.timeline import Timeline
from projections.years import Years

PROJECTIONS: Final[tuple[AnyProjection, ...]] = (
    Province(),
    Roster(),
    Years(),
    PledgeBook(),
    Standings(),
    Ratings(),
    Tallies(),
    Nominees(),
    Docket(),
    Deadlines(),
    OfficeHolders(),
    Timeline(),
)
"""All of them. `wiring` hands these to the runner, the routes and the command line."""
