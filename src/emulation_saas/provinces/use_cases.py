"""Open a province, name it from a day on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import msgspec

from emulation_saas.access.events import PersonRegistered, RoleGranted
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Event
from emulation_saas.kernel.ids import PersonId
from emulation_saas.kernel.rejections import Conflict, Invalid, NotEmpowered
from emulation_saas.kernel.use_cases import Selector, UseCase
from emulation_saas.provinces.events import ProvinceKind, ProvinceNamed, ProvinceOpened


class ProvinceHandleTaken(Conflict):
    """Another province was opened under this handle."""

    code = "province-handle-taken"


class IssuerNotAccepted(Invalid):
    """Tokens of this issuer are not accepted here, so the first administrator could never enter."""

    code = "issuer-not-accepted"


class NameTooEarly(Conflict):
    """The name takes effect no later than the one it replaces."""

    code = "name-too-early"


class Opening(msgspec.Struct, frozen=True):
    """With which facts a province was opened: the first of each kind in its log."""

    opened: ProvinceOpened | None = None
    named: ProvinceNamed | None = None
    admin: PersonRegistered | None = None


@dataclass(frozen=True)
class OpenProvince(UseCase[Opening]):
    """A platform operator opens a province under a permanent handle, with its name and its first administrator."""

    province: str
    name: str
    kind: ProvinceKind
    code: str
    effective_on: date
    legal_basis: str
    admin: PersonId
    """Minted for each attempt, so a repetition is known by everything but this."""
    issuer: str
    sub: str
    admin_name: str
    is_issuer_accepted: bool = True
    """Whether the service accepts the issuer's tokens; else nobody could ever enter, nor let anybody in."""

    def facts(self) -> Sequence[Selector]:
        return [Selector(types=[ProvinceOpened, ProvinceNamed], tags=["province"]), Selector(types=[PersonRegistered])]

    @staticmethod
    def initial() -> Opening:
        return Opening()

    @staticmethod
    def evolve(view: Opening, event: Event) -> Opening:
        match event:
            case ProvinceOpened():
                return Opening(event, view.named, view.admin)
            case ProvinceNamed() if view.named is None:
                return Opening(view.opened, event, view.admin)
            case PersonRegistered() if view.admin is None:
                return Opening(view.opened, view.named, event)
            case _:
                return view

    def decide(self, view: Opening, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.is_operator:
            raise NotEmpowered
        opened = ProvinceOpened(province=self.province)
        named = ProvinceNamed(
            name=self.name,
            kind=self.kind,
            code=self.code,
            effective_on=self.effective_on,
            legal_basis=self.legal_basis,
        )
        as_opened = self.admin if view.admin is None else view.admin.person
        admin = PersonRegistered(person=as_opened, issuer=self.issuer, sub=self.sub, name=self.admin_name)
        if view == Opening(opened, named, admin):
            return []
        if view.opened is not None:
            raise ProvinceHandleTaken
        if not self.is_issuer_accepted:
            raise IssuerNotAccepted
        return [opened, named, admin, RoleGranted(person=self.admin, role="province-admin")]


class Naming(msgspec.Struct, frozen=True):
    """The name that counts from the latest day so far."""

    latest: ProvinceNamed | None = None
    named_on: date = date.min


@dataclass(frozen=True)
class NameProvince(UseCase[Naming]):
    """From a day on, the province bears another name, kind or code; earlier days keep theirs."""

    name: str
    kind: ProvinceKind
    code: str
    effective_on: date
    legal_basis: str

    def facts(self) -> Sequence[Selector]:
        return [Selector(types=[ProvinceNamed], tags=["province"])]

    @staticmethod
    def initial() -> Naming:
        return Naming()

    @staticmethod
    def evolve(view: Naming, event: Event) -> Naming:
        match event:
            case ProvinceNamed(effective_on=day):
                return Naming(event, day)
            case _:
                return view

    def decide(self, view: Naming, may: Authority, now: datetime) -> Sequence[Event]:
        if not may.is_admin:
            raise NotEmpowered
        named = ProvinceNamed(
            name=self.name,
            kind=self.kind,
            code=self.code,
            effective_on=self.effective_on,
            legal_basis=self.legal_basis,
        )
        if view.latest == named:
            return []
        if self.effective_on <= view.named_on:
            raise NameTooEarly(f"the present name counts from {view.named_on}")
        return [named]
