"""Subscribers: who waits for events in this process, and where each of them stands."""

from collections import Counter
from functools import partial
from typing import Final

from emulation_saas.http.exchange import step_aside, when_ended
from emulation_saas.http.limits import STREAMS_MAX, STREAMS_PER_PERSON_MAX, STREAMS_PER_PROVINCE_MAX
from emulation_saas.http.refusals import Busy, ProvinceOverShare, TooManyRequests
from emulation_saas.kernel.ids import PersonId, ProvinceId


class Subscriber:
    """Somebody who is sent events, or waits for them. All there is of him is a position."""

    __slots__ = ("person", "position", "province")

    def __init__(self, province: ProvinceId, person: PersonId, position: int) -> None:
        """Stand at a position."""
        self.province = province
        self.person = person
        self.position = position


class Subscribers:
    """All subscribers of this process."""

    def __init__(self) -> None:
        """Have none yet."""
        self._all: Final[set[Subscriber]] = set()
        self._of_person: Final[Counter[tuple[ProvinceId, PersonId]]] = Counter()
        self._of_province: Final[Counter[ProvinceId]] = Counter()

    def admit(self, province: ProvinceId, person: PersonId, position: int) -> Subscriber:
        """Let the caller of this request subscribe until it ends; it counts no longer as a request in flight.

        Raises:
            TooManyRequests: he has as many streams as one may have.
            ProvinceOverShare: the province has as many as one may have.
            Busy: this process has as many as it can have.
        """
        if self._of_person[province, person] >= STREAMS_PER_PERSON_MAX:
            raise TooManyRequests(f"{STREAMS_PER_PERSON_MAX} streams are open")
        if self._of_province[province] >= STREAMS_PER_PROVINCE_MAX:
            raise ProvinceOverShare
        if len(self._all) >= STREAMS_MAX:
            raise Busy
        subscriber = Subscriber(province, person, position)
        self._all.add(subscriber)
        self._of_person[province, person] += 1
        self._of_province[province] += 1
        when_ended(partial(self._leave, subscriber))
        step_aside()
        return subscriber

    def positions(self) -> dict[ProvinceId, list[int]]:
        """Return where the subscribers stand, by province."""
        found: dict[ProvinceId, list[int]] = {}
        for each in self._all:
            found.setdefault(each.province, []).append(each.position)
        return found

    def _leave(self, subscriber: Subscriber) -> None:
        self._all.discard(subscriber)
        whose = subscriber.province, subscriber.person
        self._of_province[subscriber.province] -= 1
        self._of_person[whose] -= 1
        if not self._of_person[whose]:
            del self._of_person[whose]
