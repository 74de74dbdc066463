"""Register an agency, rename it from a day on, note another way of writing it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import msgspec
from msgspec import UnsetType

from emulation_saas.agencies.events import AgencyAliasAdded, AgencyRegistered, AgencyRenamed
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import AgencyId
from emulation_saas.kernel.rejections import Conflict, NotEmpowered, NotFound
from emulation_saas.kernel.use_cases import Selector, UseCase


class NoSuchAgency(NotFound):
    """No agency is registered under this handle."""

    code = "no-such-agency"


class AgencyHandleTaken(Conflict):
    """Another agency was registered under this handle."""

    code = "agency-handle-taken"


class RenameTooEarly(Conflict):
    """The name takes effect no later than the one it replaces."""

    code = "rename-too-early"


class Agency(msgspec.Struct, frozen=True):
    """What is known of one agency."""

    registered: AgencyRegistered | None = None
    name: str = ""
    named_on: date = date.min
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class _OnAgency(UseCase[Agency]):
    """What is done to one agency, knowing that agency."""

    agency: AgencyId

    def facts(self) -> Sequence[Selector]:
        return [Selector(types=[AgencyRegistered, AgencyRenamed, AgencyAliasAdded], tags=[f"agency:{self.agency}"])]

    @staticmethod
    def initial() -> Agency:
        return Agency()

    @staticmethod
    def evolve(view: Agency, event: Event) -> Agency:
        match event:
            case AgencyRegistered(name=name, effective_on=day, aliases=aliases):
                return Agency(event, name, day, tuple(aliases))
            case AgencyRenamed(name=name, effective_on=day):
                return Agency(view.registered, name, day, view.aliases)
            case AgencyAliasAdded(alias=alias):
                return Agency(view.registered, view.name, view.named_on, (*view.aliases, alias))
            case _:
                return view


@dataclass(frozen=True)
class RegisterAgency(_OnAgency):
    """The province makes an agency known, under a handle that it keeps for ever."""

    name: str
    aliases: tuple[str, ...]
    code: str | UnsetType
    effective_on: date

    def decide(self, view: Agency, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.is_admin:
            raise NotEmpowered
        registered = AgencyRegistered(
            agency=self.agency,
            name=self.name,
            aliases=list(self.aliases),
            code=self.code,
            effective_on=self.effective_on,
        )
        if view.registered == registered:
            return []
        if view.registered is not None:
            raise AgencyHandleTaken
        return [registered]


@dataclass(frozen=True)
class RenameAgency(_OnAgency):
    """From a day on, the agency bears another name; earlier days keep theirs."""

    name: str
    effective_on: date
    legal_basis: str

    def decide(self, view: Agency, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.is_admin:
            raise NotEmpowered
        if view.registered is None:
            raise NoSuchAgency
        if (view.name, view.named_on) == (self.name, self.effective_on):
            return []
        if self.effective_on <= view.named_on:
            raise RenameTooEarly(f"the present name counts from {view.named_on}")
        return [
            AgencyRenamed(
                agency=self.agency, name=self.name, effective_on=self.effective_on, legal_basis=self.legal_basis
            )
        ]


@dataclass(frozen=True)
class AddAgencyAlias(_OnAgency):
    """Documents also write the agency's name this way."""

    alias: str

    def decide(self, view: Agency, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.is_admin:
            raise NotEmpowered
        if view.registered is None:
            raise NoSuchAgency
        if self.alias in view.aliases:
            return []
        return [AgencyAliasAdded(agency=self.agency, alias=self.alias)]
