"""Disputes of that year, briefly told: what is contested, who contests it, and how it goes on."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from msgspec import UNSET, UnsetType

from emulation_saas.disputes.events import (
    About,
    DisputeAnswered,
    DisputedEvent,
    DisputeEvidenceAdded,
    DisputeFiled,
    DisputeRefused,
    DisputeUpheld,
    DisputeWithdrawn,
)
from emulation_saas.disputes.use_cases import FileDispute
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import AnyRecorded, Event, Recorded
from emulation_saas.kernel.ids import AgencyId, DisputeId, NominationId, PersonId
from emulation_saas.nominations.events import NominationResumed, NominationSuspended
from emulation_saas.scoring.events import Evidence
from tests.nominations.proposed import resumed, suspended
from tests.scoring.bloc_year import SNV, STP, TM1
from tests.scoring.scores import appraised

D1, D2 = DisputeId("kien-nghi-1"), DisputeId("kien-nghi-2")
RECORDER: Final = PersonId("p-nguoinop22")
"""Who filed it."""
APPRAISER: Final = PersonId("p-nguoicham2")
"""Who did what is contested."""
EVIDENCE: Final = Evidence(
    sha256="0f" * 32, title="Biên bản", media_type="application/pdf", size=4096, held_by=AgencyId("so-tu-phap")
)
MORE: Final = Evidence(
    sha256="1e" * 32, title="Công văn", media_type="application/pdf", size=1, held_by=AgencyId("so-tu-phap")
)
CONTESTED: Final = appraised("40")
"""An appraisal of SNV, at position 115."""


def at(position: int, event: Event, actor: PersonId = APPRAISER) -> AnyRecorded:
    """Return an event as it stands in the log."""
    return Recorded(
        event=event,
        id=str(position),
        recorded_at=datetime(2024, 1, 20, tzinfo=UTC),
        time=datetime(2024, 1, 20, tzinfo=UTC),
        actor=actor,
        command_id="00000000-0000-4000-8000-000000000001",
    )


def disputed(
    position: int, event: Event, agency: AgencyId | UnsetType = SNV, acted_for: Sequence[AgencyId] = ()
) -> DisputedEvent:
    """Return how a dispute names an event."""
    return DisputedEvent(position=position, type=event.type, actor=APPRAISER, acted_for=list(acted_for), agency=agency)


def file(
    *found: AnyRecorded,
    about: About = "score",
    dispute: DisputeId = D1,
    agency: AgencyId = STP,
    text: str = "Điểm chấm sai",
    **more: Any,  # noqa: ANN401 - positions, evidence, time
) -> FileDispute:
    """Return the filing of a dispute against events; without any, against the contested appraisal."""
    found = found or (at(115, CONTESTED),)
    more.setdefault("positions", tuple(each.position for each in found))
    more.setdefault("acted_for", {each.position: () for each in found})
    return FileDispute(bloc=TM1, year=2023, dispute=dispute, agency=agency, about=about, found=found, text=text, **more)


def filed(
    *events: DisputedEvent,
    about: About = "score",
    dispute: DisputeId = D1,
    agency: AgencyId = STP,
    text: str = "Điểm chấm sai",
    evidence: Sequence[Evidence] = (),
    nomination: NominationId | UnsetType = UNSET,
    answer_by: date | UnsetType = UNSET,
    filed_by: PersonId = RECORDER,
) -> DisputeFiled:
    """Return a dispute as it is recorded; without events, one about the contested appraisal."""
    return DisputeFiled(
        bloc=TM1,
        year=2023,
        dispute=dispute,
        agency=agency,
        filed_by=filed_by,
        about=about,
        events=list(events) or [disputed(115, CONTESTED)],
        text=text,
        evidence=list(evidence),
        nomination=nomination,
        answer_by=answer_by,
    )


def supported(*evidence: Evidence, dispute: DisputeId = D1) -> DisputeEvidenceAdded:
    """Return that more evidence was brought."""
    return DisputeEvidenceAdded(bloc=TM1, year=2023, dispute=dispute, agency=STP, evidence=list(evidence) or [MORE])


def explained(text: str = "Giải trình", dispute: DisputeId = D1) -> DisputeAnswered:
    """Return an answer."""
    return DisputeAnswered(bloc=TM1, year=2023, dispute=dispute, agency=STP, text=text)


def upheld(dispute: DisputeId = D1, reasons: str = "Có căn cứ") -> DisputeUpheld:
    """Return that a dispute was found right."""
    return DisputeUpheld(bloc=TM1, year=2023, dispute=dispute, agency=STP, reasons=reasons)


def refused(dispute: DisputeId = D1, reasons: str = "Không có căn cứ") -> DisputeRefused:
    """Return that a dispute was found wrong."""
    return DisputeRefused(bloc=TM1, year=2023, dispute=dispute, agency=STP, reasons=reasons)


def taken_back(dispute: DisputeId = D1) -> DisputeWithdrawn:
    """Return that a dispute was withdrawn."""
    return DisputeWithdrawn(bloc=TM1, year=2023, dispute=dispute, agency=STP)


def suspended_by(dispute: DisputeId = D1) -> NominationSuspended:
    """Return the suspension of the nomination by a dispute."""
    return suspended(f"dispute:{dispute}")


def resumed_by(dispute: DisputeId = D1) -> NominationResumed:
    """Return that the nomination goes on when a dispute ends."""
    return resumed(f"dispute:{dispute}")


def being(person: PersonId, *agencies: AgencyId, council: bool = False, admin: bool = False) -> Authority:
    """Return the authority of somebody in particular."""
    return Authority(person=person, known=True, represents=frozenset(agencies), is_council=council, is_admin=admin)
