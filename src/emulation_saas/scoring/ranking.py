"""The arithmetic of standings: what a member's points add up to, and who stands where. Exact, and blind to order."""

from collections.abc import Mapping
from decimal import Decimal

from emulation_saas.kernel.ids import AgencyId
from emulation_saas.scoring.events import Rank


def total_of(claimed: Mapping[str, Decimal], appraised: Mapping[str, Decimal]) -> Decimal | None:
    """Return a member's points: of each criterion the appraised points, else the claimed ones, else nothing.

    Args:
        claimed: points by leaf of the scheme, from the member's own sheet; zero is a claim.
        appraised: points by leaf, from the appraisals that stand; they count instead of the claim.

    Returns:
        The sum, or None where no criterion is scored: that is not zero, and has no rank.
    """
    counted = {**claimed, **appraised}
    return sum(counted.values(), Decimal(0)) if counted else None


def rank(totals: Mapping[AgencyId, Decimal]) -> list[Rank]:
    """Return the ranking by points, best first; equal points share a rank and the next is skipped (1, 1, 3).

    Those of one rank stand in the order of their handles, so the same totals give the same ranking always.
    """
    rows: list[Rank] = []
    for place, (agency, points) in enumerate(sorted(totals.items(), key=lambda row: (-row[1], row[0])), start=1):
        shares = bool(rows) and rows[-1].points == points
        rows.append(Rank(agency=agency, points=points, rank=rows[-1].rank if shares else place))
    return rows
