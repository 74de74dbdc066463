"""Acclaims, nominations and counted ballots of that year, briefly told."""

from msgspec import UNSET, UnsetType

from emulation_saas.ballots.events import BallotCounted, Outcome
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId, NominationId
from emulation_saas.nominations.events import (
    Award,
    LeaderAcclaimed,
    Method,
    NominationForwarded,
    NominationMade,
    NominationResumed,
    NominationSuspended,
    NominationYielded,
)
from tests.scoring.bloc_year import TM1, TTR

BALLOT = BallotId("suy-ton-2023")
N1 = NominationId("co-chinh-phu-2023")


def counted(*chosen: str, ballot: BallotId = BALLOT, year: int = 2023, bloc: BlocId = TM1) -> BallotCounted:
    """Return a count that chose these on its second question, the first having chosen nobody."""
    outcomes = [
        Outcome(question="bang-khen", chosen=[], tied=[]),
        Outcome(question="dan-dau", chosen=list(chosen), tied=[]),
    ]
    return BallotCounted(
        bloc=bloc,
        year=year,
        ballot=ballot,
        present=3,
        issued=3,
        collected=3,
        valid=3,
        invalid=0,
        votes=[],
        outcomes=outcomes,
    )


def acclaimed(
    agency: AgencyId = TTR,
    *,
    method: Method = "consensus",
    ballot: BallotId | UnsetType = UNSET,
    because: str = "",
) -> LeaderAcclaimed:
    """Return an acclaim as it is recorded."""
    return LeaderAcclaimed(bloc=TM1, year=2023, agency=agency, method=method, ballot=ballot, because=because)


def made(
    award: Award = "gov_flag",
    *,
    nomination: NominationId = N1,
    agency: AgencyId = TTR,
    bloc: BlocId = TM1,
    ballot: BallotId | UnsetType = UNSET,
    because: str = "",
) -> NominationMade:
    """Return a nomination as it is recorded."""
    return NominationMade(
        bloc=bloc,
        year=2023,
        nomination=nomination,
        agency=agency,
        award=award,
        ballot=ballot,
        because=because,
        legal_basis="Luật 06/2022/QH15, Điều 25",
    )


def yielded(because: str = "") -> NominationYielded:
    """Return the nominee's withdrawal."""
    return NominationYielded(bloc=TM1, year=2023, nomination=N1, agency=TTR, because=because)


def suspended(because: str = "Đang có đơn thư") -> NominationSuspended:
    """Return a suspension."""
    return NominationSuspended(bloc=TM1, year=2023, nomination=N1, agency=TTR, because=because)


def resumed(because: str = "Đơn đã giải quyết") -> NominationResumed:
    """Return the end of a suspension."""
    return NominationResumed(bloc=TM1, year=2023, nomination=N1, agency=TTR, because=because)


def forwarded(document_no: str = "12/TTr") -> NominationForwarded:
    """Return a forwarding."""
    return NominationForwarded(bloc=TM1, year=2023, nomination=N1, agency=TTR, document_no=document_no)
