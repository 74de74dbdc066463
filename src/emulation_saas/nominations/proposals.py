"""What a bloc's year knows when it proposes: members, ranking, what its ballots chose, leaders, nominees."""

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from emulation_saas.ballots.events import BallotCounted, BallotNotCounted, NotChosen
from emulation_saas.blocs.events import Membership
from emulation_saas.disputes.events import DisputeEvent, Disputes
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId, BallotId, NominationId
from emulation_saas.nominations.events import LeaderAcclaimed, NominationEvent, NominationMade
from emulation_saas.nominations.states import Nomination, NominationIsDisputed
from emulation_saas.scoring.events import RankingFrozen
from emulation_saas.years.events import Year


class Proposals(msgspec.Struct, frozen=True):
    """The reading on which acclaims and nominations are decided. Built by `after` from the events of bloc and year."""

    year: Year = Year()
    members: Membership = Membership()
    frozen: RankingFrozen | None = None
    chosen: dict[BallotId, frozenset[str]] = {}
    """What each counted ballot chose, on any of its questions."""
    leaders: dict[AgencyId, LeaderAcclaimed] = {}
    nominations: dict[NominationId, Nomination] = {}
    disputes: Disputes = Disputes()

    def require_chosen(self, agency: AgencyId, ballot: BallotId | UnsetType) -> None:
        """Let pass what rests on no ballot, or on a counted one that chose the agency.

        Raises:
            BallotNotCounted: no such ballot of that year was counted.
            NotChosen: it was, and chose others.
        """
        if ballot is UNSET:
            return
        chosen = self.chosen.get(ballot)
        if chosen is None:
            raise BallotNotCounted(ballot)
        if agency not in chosen:
            raise NotChosen(ballot)

    def require_undisputed(self, nomination: NominationId) -> None:
        """Let pass a nomination that does not rest because of a pending dispute.

        Raises:
            NominationIsDisputed: it does.
        """
        if self.disputes.holds(nomination):
            raise NominationIsDisputed

    def ranks_another_first(self, agency: AgencyId) -> bool:
        """Tell whether the newest frozen ranking has others on top, and not this one among them."""
        return self.frozen is not None and all(row.agency != agency for row in self.frozen.ranks if row.rank == 1)

    def after(self, event: Event) -> "Proposals":
        """Return the reading after one more fact."""
        match event:
            case NominationEvent(nomination=handle):
                made = event if isinstance(event, NominationMade) else self.nominations[handle].made
                nominations = {**self.nominations, handle: Nomination(made, event)}
                return replace(self, nominations=nominations, disputes=self.disputes.after(event))
            case LeaderAcclaimed(agency=agency):
                return replace(self, leaders={**self.leaders, agency: event})
            case BallotCounted(ballot=ballot, outcomes=outcomes):
                chosen = frozenset(option for outcome in outcomes for option in outcome.chosen)
                return replace(self, chosen={**self.chosen, ballot: chosen})
            case RankingFrozen():
                return replace(self, frozen=event)
            case DisputeEvent():
                return replace(self, disputes=self.disputes.after(event))
            case _:  # each of the two knows its own
                return replace(self, year=self.year.after(event), members=self.members.after(event))
