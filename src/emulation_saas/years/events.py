"""What happens to a bloc's competition year as a whole. Its scheme and rules are recorded where it begins.

`Year` is the reading that other capabilities share: is the year open, by which scheme and rules. The two ways in which
a year refuses (`NoSuchYear`, `YearOver`) stand beside it, so that everything of a year is refused by the same names.
"""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar

import msgspec
from msgspec import UNSET, UnsetType

from emulation_saas.kernel.events import Event, Visibility, YearEvent
from emulation_saas.kernel.rejections import Conflict, NotFound


class NoSuchYear(NotFound):
    """The bloc never opened such a year."""

    code = "no-such-year"


class YearOver(Conflict):
    """The year is closed: nothing of it changes any more."""

    code = "year-closed"


class Criterion(msgspec.Struct, frozen=True, kw_only=True):
    """A node of the scheme's tree. Only leaves are scored; a parent's maximum is the sum of its children's."""

    criterion: str
    title: str
    parent: str | UnsetType = UNSET
    points_max: Decimal


class Scheme(msgspec.Struct, frozen=True, kw_only=True):
    """What is scored, and by how many points at most."""

    title: str
    criteria: list[Criterion]

    def leaves(self) -> dict[str, Decimal]:
        """Return the criteria that are scored, with their maxima, in the scheme's order."""
        parents = {node.parent for node in self.criteria}
        return {node.criterion: node.points_max for node in self.criteria if node.criterion not in parents}


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """By which rules the year is run; history is judged by the rules of its time."""

    legal_basis: str
    self_scores_close_at: datetime | UnsetType = UNSET
    """Self-scores are too late from this instant on; absent: any time until the year closes."""
    leaders_max: int
    """How many leading units the bloc may acclaim."""
    self_vote: bool
    """Whether a member may vote for itself."""
    dispute_answer_days: int | UnsetType = UNSET
    """Within how many days a dispute is to be answered; absent: no term."""
    disputes_suspend_nominations: bool
    """Whether a nomination rests while a dispute about it is pending."""


class YearOpened(YearEvent, frozen=True, kw_only=True):
    """The bloc's year was opened with its scheme and rules."""

    type: ClassVar[str] = "year.opened.v2"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC
    scheme: Scheme
    rules: Rules


class RulesV1(msgspec.Struct, frozen=True, kw_only=True):
    """The year's rules before they said anything of disputes."""

    legal_basis: str
    self_scores_close_at: datetime | UnsetType = UNSET
    leaders_max: int
    self_vote: bool


class YearOpenedV1(YearEvent, frozen=True, kw_only=True):
    """The bloc's year was opened, by rules that set disputes no term and let them suspend nothing."""

    type: ClassVar[str] = "year.opened.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC
    becomes: ClassVar[str | None] = "year.opened.v2"
    scheme: Scheme
    rules: RulesV1

    def upcast(self) -> Event:
        """Return the same opening with rules that say so."""
        rules = Rules(
            legal_basis=self.rules.legal_basis,
            self_scores_close_at=self.rules.self_scores_close_at,
            leaders_max=self.rules.leaders_max,
            self_vote=self.rules.self_vote,
            disputes_suspend_nominations=False,
        )
        return YearOpened(bloc=self.bloc, year=self.year, scheme=self.scheme, rules=rules)


class YearLaunched(YearEvent, frozen=True, kw_only=True):
    """The year's emulation movement was launched."""

    type: ClassVar[str] = "year.launched.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC
    text: str


class YearClosed(YearEvent, frozen=True, kw_only=True):
    """The year is over: nothing of it changes any more."""

    type: ClassVar[str] = "year.closed.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC


class Year(msgspec.Struct, frozen=True):
    """How one bloc's year stands. Built by `after` from that year's events."""

    scheme: Scheme | None = None
    rules: Rules | None = None
    is_launched: bool = False
    is_closed: bool = False

    @property
    def is_opened(self) -> bool:
        """Whether it was ever opened."""
        return self.rules is not None

    def require_open(self) -> tuple[Scheme, Rules]:
        """Return the scheme and rules of a year in which things may still happen.

        Raises:
            NoSuchYear: it was never opened.
            YearOver: it is closed.
        """
        if self.scheme is None or self.rules is None:
            raise NoSuchYear
        if self.is_closed:
            raise YearOver
        return self.scheme, self.rules

    def after(self, event: Event) -> "Year":
        """Return the year after one more fact; other facts change nothing."""
        match event:
            case YearOpened(scheme=scheme, rules=rules):
                return Year(scheme, rules, self.is_launched, self.is_closed)
            case YearLaunched():
                return Year(self.scheme, self.rules, True, self.is_closed)  # noqa: FBT003 - a positional struct
            case YearClosed():
                return Year(self.scheme, self.rules, self.is_launched, True)  # noqa: FBT003 - a positional struct
            case _:
                return self


EVENTS = (YearOpenedV1, YearOpened, YearLaunched, YearClosed)
