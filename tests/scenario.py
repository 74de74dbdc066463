"""Given, when, then: rules are tested on values alone, with no database and no clock.

`.then(…)` also asks the same again and demands that nothing more is recorded.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId, BlocId, PersonId
from emulation_saas.kernel.rejections import NotEmpowered, Rejection
from emulation_saas.kernel.use_cases import Selector, UseCase

NOW: Final = datetime(2024, 1, 30, 2, 0, tzinfo=UTC)
SOMEBODY: Final = PersonId("p-somebody22")

NOBODY: Final = Authority(person=SOMEBODY)
ADMIN: Final = Authority(person=SOMEBODY, known=True, is_admin=True)
COUNCIL: Final = Authority(person=SOMEBODY, known=True, is_council=True)
AUDITOR: Final = Authority(person=SOMEBODY, known=True, is_auditor=True)


def representing(*agencies: str, blocs: Sequence[str] = ()) -> Authority:
    """Return the authority of a representative of these agencies, members of these blocs."""
    return Authority(
        person=SOMEBODY,
        known=True,
        represents=frozenset(AgencyId(agency) for agency in agencies),
        blocs=frozenset(BlocId(bloc) for bloc in blocs),
    )


def heading(bloc: str, year: int, agency: str) -> Authority:
    """Return the authority of a representative of the agency that heads the bloc that year."""
    return Authority(
        person=SOMEBODY,
        known=True,
        represents=frozenset({AgencyId(agency)}),
        offices=frozenset({(BlocId(bloc), year, "head")}),
        blocs=frozenset({BlocId(bloc)}),
    )


def secretary_of(bloc: str) -> Authority:
    """Return the authority of a bloc's secretary."""
    return Authority(person=SOMEBODY, known=True, secretary_of=frozenset({BlocId(bloc)}))


def matches(selector: Selector, event: Event) -> bool:
    """Tell whether a selector finds an event, as the log does."""
    return (not selector.types or isinstance(event, tuple(selector.types))) and set(selector.tags) <= set(event.tags())


class Given:
    """A history, and what comes of one more attempt."""

    def __init__(self, history: Sequence[Event]) -> None:
        self._history = list(history)
        self._attempt: tuple[UseCase[Any], Authority, datetime] | None = None

    def when(self, use_case: UseCase[Any], may: Authority, *, now: datetime = NOW) -> "Given":
        """Say who tries what, and when."""
        self._attempt = (use_case, may, now)
        return self

    def then(self, *expected: Event) -> None:
        """Demand exactly these events, and none when the same is asked again."""
        decided = self._decide(self._history)
        assert decided == list(expected)
        assert self._decide([*self._history, *decided]) == [], "asked again, it recorded more"
        self._demand_authority()

    def then_recorded_nothing(self) -> None:
        """Demand that it is granted and changes nothing."""
        assert self._decide(self._history) == []

    def then_rejected(self, rejection: type[Rejection]) -> None:
        """Demand exactly this rejection."""
        with pytest.raises(Rejection) as raised:
            self._decide(self._history)
        assert type(raised.value) is rejection

    def _decide(self, history: Sequence[Event]) -> list[Event]:
        assert self._attempt is not None, "say .when(…) first"
        use_case, may, now = self._attempt
        view = use_case.initial()
        selectors = use_case.facts()
        for event in history:
            if any(matches(selector, event) for selector in selectors):
                view = use_case.evolve(view, event)
        return list(use_case.decide(view, may, now))

    def _demand_authority(self) -> None:
        assert self._attempt is not None
        use_case, may, now = self._attempt
        self._attempt = (use_case, NOBODY, now)
        with pytest.raises(NotEmpowered):
            self._decide(self._history)
        self._attempt = (use_case, may, now)


def given(*history: Event) -> Given:
    """Begin with what has happened."""
    return Given(history)
