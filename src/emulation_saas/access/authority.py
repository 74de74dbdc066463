"""What everybody in a province may do at one position of its log, folded once for all commands.

The committer folds every new event into the `Directory`, nearly all of which are none of its business, and asks it for
an authority with every command. So the first is one look-up, and the second is worked out once per person, view and
day: memberships have a first day and perhaps a last, and an office counts while its holder is a member.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from emulation_saas.access.events import PersonRegistered, RoleGranted, RoleRevoked
from emulation_saas.blocs.events import Interval, MemberAdmitted, MemberWithdrawn, spans_after
from emulation_saas.kernel.authority import Authority, Office, Role
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId, BlocId, PersonId
from emulation_saas.kernel.use_cases import Selector
from emulation_saas.offices.events import OfficeAppointed, OfficeElected
from emulation_saas.privacy.events import PersonErased

_CHANGES: Final[dict[type[Event], tuple[str, ...]]] = {
    PersonRegistered: ("bindings",),
    PersonErased: ("bindings", "erasures"),
    RoleGranted: ("roles",),
    RoleRevoked: ("roles",),
    OfficeElected: ("holders", "offices"),
    OfficeAppointed: ("holders", "offices"),
    MemberAdmitted: ("members",),
    MemberWithdrawn: ("members",),
}
"""The events that authority rests on, each with what of the directory it changes."""
DIRECTORY_FACTS: Final = tuple(_CHANGES)
_FACTS: Final = frozenset(DIRECTORY_FACTS)
_OfficeOfYear = tuple[BlocId, int, Office]


class RoleHeld(msgspec.Struct, frozen=True):
    """A role with its scope, as one person holds it."""

    role: Role
    agency: AgencyId | UnsetType = UNSET
    bloc: BlocId | UnsetType = UNSET
    criterion: str | UnsetType = UNSET

    @staticmethod
    def by(event: RoleGranted | RoleRevoked) -> "RoleHeld":
        """Return the role that was given or taken."""
        return RoleHeld(event.role, event.agency, event.bloc, event.criterion)


@dataclass(frozen=True)
class Directory:
    """Who is who and who may do what. Immutable but for its memory of what it has worked out already."""

    bindings: dict[tuple[str, str], PersonId] = field(default_factory=dict)
    """Persons by their token's issuer and subject."""
    roles: dict[PersonId, frozenset[RoleHeld]] = field(default_factory=dict)
    holders: dict[_OfficeOfYear, AgencyId] = field(default_factory=dict)
    offices: dict[AgencyId, frozenset[_OfficeOfYear]] = field(default_factory=dict)
    """The same as `holders`, by agency."""
    members: dict[AgencyId, dict[BlocId, tuple[Interval, ...]]] = field(default_factory=dict)
    """Of which blocs an agency has been or will be a member, and when."""
    erasures: dict[PersonId, int] = field(default_factory=dict)
    """How often each person has been erased: what is recorded afterwards is sealed with another key."""
    _worked_out: dict[PersonId, tuple[date, Authority]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def person_of(self, issuer: str, sub: str) -> PersonId | None:
        """Return the person to whom a token's issuer and subject are bound, if any."""
        return self.bindings.get((issuer, sub))

    def authority_of(self, person: PersonId, *, on: date) -> Authority:
        """Return what a person may do on a day; nothing for somebody unknown, or known and without a role."""
        day, authority = self._worked_out.get(person, (None, None))
        if authority is not None and day == on:
            return authority
        authority = self._work_out(person, on)
        if authority.known:  # strangers are without number and cost nothing: not remembered
            self._worked_out[person] = on, authority
        return authority

    def _work_out(self, person: PersonId, on: date) -> Authority:
        held = self.roles.get(person)
        if not held:
            return Authority(person=person)
        kinds = {role.role for role in held}
        represents = frozenset(
            role.agency for role in held if role.role == "member-representative" and role.agency is not UNSET
        )
        memberships = {agency: self._blocs_of(agency, on) for agency in represents}
        return Authority(
            person=person,
            known=True,
            is_admin="province-admin" in kinds,
            is_council="council-member" in kinds,
            is_auditor="auditor" in kinds,
            is_integrator="integrator" in kinds,
            represents=represents,
            secretary_of=frozenset(
                role.bloc for role in held if role.role == "bloc-secretary" and role.bloc is not UNSET
            ),
            expert_for=frozenset(f"{role.bloc}/{role.criterion}" for role in held if role.role == "expert"),
            offices=frozenset(
                office
                for agency, blocs in memberships.items()
                for office in self.offices.get(agency, ())
                if office[0] in blocs
            ),
            blocs=frozenset[BlocId]().union(*memberships.values()),
        )

    def _blocs_of(self, agency: AgencyId, on: date) -> set[BlocId]:
        """Return the blocs of which an agency is a member on a day."""
        blocs = self.members.get(agency, {})
        return {bloc for bloc, spans in blocs.items() if any(span.covers(on) for span in spans)}


def facts_about(persons: Collection[PersonId], found: Iterable[Event]) -> list[Selector]:
    """Return what finds the facts that persons' powers rest on, as far as those found already tell where to look.

    With nothing found these are the persons' roles; then also memberships and offices of the agencies that these roles
    name; then whoever else held those offices. Found again so, there is nothing more to find.
    """
    about: dict[str, tuple[type[Event], ...]] = {f"person:{person}": (RoleGranted, RoleRevoked) for person in persons}
    for event in found:
        match event:
            case RoleGranted(agency=str(agency)):
                about[f"agency:{agency}"] = (MemberAdmitted, MemberWithdrawn, OfficeElected, OfficeAppointed)
            case OfficeElected(bloc=bloc, for_year=year) | OfficeAppointed(bloc=bloc, for_year=year):
                about[f"year:{bloc}/{year}"] = (OfficeElected, OfficeAppointed)
            case _:
                continue
    return [Selector(types=list(types), tags=[tag]) for tag, types in about.items()]


def initial_directory() -> Directory:
    """Return the directory of a log with nothing in it: nobody may do anything."""
    return Directory()


def directory_after(view: Directory, event: Event) -> Directory:
    """Return the directory after one more event; the same object where the event is none of its business."""
    return directory_after_all(view, (event,)) if type(event) in _FACTS else view


def directory_after_all(view: Directory, events: Iterable[Event]) -> Directory:
    """Return the directory after more events, copying once for all of them what they change."""
    facts = [event for event in events if type(event) in _FACTS]
    changed = {name for event in facts for name in _CHANGES[type(event)]}
    after = replace(view, **{name: dict(getattr(view, name)) for name in changed})
    for event in facts:
        _take(after, event)
    return after if facts else view


def _take(view: Directory, event: Event) -> None:
    """Take one more fact into a directory that nobody else has yet."""
    match event:
        case PersonRegistered(person=person, issuer=str(issuer), sub=str(sub)):
            view.bindings[issuer, sub] = person
        case PersonRegistered():  # a person whose key is gone: the token, if it still exists, is nobody's
            return
        case PersonErased(person=person):
            for token in [token for token, bound in view.bindings.items() if bound == person]:
                del view.bindings[token]
            view.erasures[person] = view.erasures.get(person, 0) + 1
        case RoleGranted() | RoleRevoked():
            held, role = view.roles.get(event.person, frozenset()), {RoleHeld.by(event)}
            view.roles[event.person] = held | role if isinstance(event, RoleGranted) else held - role
        case MemberAdmitted() | MemberWithdrawn():
            blocs = view.members.get(event.agency, {})
            spans = spans_after(blocs.get(event.bloc, ()), event)
            view.members[event.agency] = {**blocs, event.bloc: spans}
        case OfficeElected() | OfficeAppointed():
            _take_holder(view, (event.bloc, event.for_year, event.office), event.agency)
        case _:  # pragma: no cover - all facts are told above
            return


def _take_holder(view: Directory, office: _OfficeOfYear, agency: AgencyId) -> None:
    former = view.holders.get(office)
    if former is not None:
        view.offices[former] -= {office}
    view.offices[agency] = view.offices.get(agency, frozenset()) | {office}
    view.holders[office] = agency
