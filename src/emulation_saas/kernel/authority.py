"""What an actor may do at one position of the log: roles granted to the person and offices held through agencies."""

from typing import Literal

import msgspec

from emulation_saas.kernel.events import Event, Visibility
from emulation_saas.kernel.ids import OPERATOR, AgencyId, BlocId, PersonId

Role = Literal[
    "province-admin", "council-member", "bloc-secretary", "member-representative", "expert", "auditor", "integrator"
]
Office = Literal["head", "deputy"]


class Authority(msgspec.Struct, frozen=True, kw_only=True):
    """The powers of one person on one day, folded from the log. The empty value empowers nothing."""

    person: PersonId
    known: bool = False
    """The person has, now, at least one role in the province."""
    is_operator: bool = False
    is_admin: bool = False
    is_council: bool = False
    is_auditor: bool = False
    is_integrator: bool = False
    represents: frozenset[AgencyId] = frozenset()
    secretary_of: frozenset[BlocId] = frozenset()
    expert_for: frozenset[str] = frozenset()
    """Criteria, as `bloc/criterion`."""
    offices: frozenset[tuple[BlocId, int, Office]] = frozenset()
    """Offices held by an agency that the person represents, and that is a member of the bloc on that day."""
    blocs: frozenset[BlocId] = frozenset()
    """Blocs of which such an agency is a member on that day."""

    @property
    def oversees(self) -> bool:
        """Whether everything in the province but sealed facts may be read."""
        return self.is_admin or self.is_council or self.is_auditor

    def heads(self, bloc: BlocId, year: int) -> bool:
        """Whether the person acts for the bloc's head that year."""
        return (bloc, year, "head") in self.offices

    def leads(self, bloc: BlocId, year: int) -> bool:
        """Whether the person acts for the bloc's head or deputy that year."""
        return self.heads(bloc, year) or (bloc, year, "deputy") in self.offices

    def runs(self, bloc: BlocId, year: int) -> bool:
        """Whether the person may enter and steer the bloc's year: administrator, head, deputy or secretary."""
        return self.is_admin or bloc in self.secretary_of or self.leads(bloc, year)

    def is_party_to(self, bloc: BlocId) -> bool:
        """Whether the person takes part in the bloc: as member, secretary, holder of an office, or expert."""
        return (
            bloc in self.blocs
            or bloc in self.secretary_of
            or any(held == bloc for held, _, _ in self.offices)
            or any(criterion.startswith(f"{bloc}/") for criterion in self.expert_for)
        )

    def may_see(self, event: Event, *, actor: str) -> bool:
        """Tell whether an event may be shown: the one table of visibility by role."""
        if not self.known:
            return False
        match event.visibility:
            case Visibility.PUBLIC:
                return True
            case Visibility.PARTIES:
                return self.oversees or actor == self.person or self._is_named_in(event)
            case Visibility.COUNCIL:
                return self.oversees
            case Visibility.SEALED:
                return False

    def _is_named_in(self, event: Event) -> bool:
        for tag in event.tags():
            kind, _, handle = tag.partition(":")
            if kind == "agency" and AgencyId(handle) in self.represents:
                return True
            if kind == "bloc" and self.is_party_to(BlocId(handle)):
                return True
        return False


def operator() -> Authority:
    """Return the powers of a platform operator: to open provinces and appoint their first administrator."""
    return Authority(person=OPERATOR, is_operator=True)
