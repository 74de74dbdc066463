"""A bloc's year with three members, a scheme of three leaves and a deadline: what tests of a year begin with."""

from datetime import UTC, date, datetime
from decimal import Decimal

from msgspec import UNSET, UnsetType

from emulation_saas.blocs.events import MemberAdmitted, MemberWithdrawn
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId, BlocId
from emulation_saas.years.events import Criterion, Rules, Scheme, YearClosed, YearOpened

TM1 = BlocId("tham-muu-1")
SNV, STP, TTR = AgencyId("so-noi-vu"), AgencyId("so-tu-phap"), AgencyId("thanh-tra")
OUTSIDER = AgencyId("so-y-te")
"""A member until the year before."""
CLOSES_AT = datetime(2024, 2, 1, tzinfo=UTC)

SCHEME = Scheme(
    title="Bảng điểm 2023",
    criteria=[
        Criterion(criterion="tasks", title="Nhiệm vụ chuyên môn", points_max=Decimal(70)),
        Criterion(criterion="plan", title="Kế hoạch", parent="tasks", points_max=Decimal("50.5")),
        Criterion(criterion="reform", title="Cải cách hành chính", parent="tasks", points_max=Decimal("19.5")),
        Criterion(criterion="movement", title="Phong trào", points_max=Decimal(30)),
    ],
)


def opened(
    *,
    closes_at: datetime | UnsetType = CLOSES_AT,
    leaders_max: int = 1,
    dispute_answer_days: int | UnsetType = UNSET,
    disputes_suspend_nominations: bool = False,
) -> YearOpened:
    """Return the opening of the year."""
    rules = Rules(
        legal_basis="QĐ 5",
        self_scores_close_at=closes_at,
        leaders_max=leaders_max,
        self_vote=True,
        dispute_answer_days=dispute_answer_days,
        disputes_suspend_nominations=disputes_suspend_nominations,
    )
    return YearOpened(bloc=TM1, year=2023, scheme=SCHEME, rules=rules)


def admitted(agency: AgencyId) -> MemberAdmitted:
    """Return the admission of a member, the year before."""
    return MemberAdmitted(bloc=TM1, agency=agency, effective_on=date(2022, 1, 1), legal_basis="QĐ 1")


members: tuple[Event, ...] = (
    *(admitted(agency) for agency in (TTR, STP, SNV, OUTSIDER)),
    MemberWithdrawn(bloc=TM1, agency=OUTSIDER, effective_on=date(2023, 1, 1), legal_basis="QĐ 2", because="sáp nhập"),
)
the_year: tuple[Event, ...] = (*members, opened())
over = YearClosed(bloc=TM1, year=2023)
