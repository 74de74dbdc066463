"""What the province is called, by date. Figures: `name`."""

from collections.abc import Sequence
from datetime import date
from typing import ClassVar, Final

import msgspec
from msgspec import UNSET, UnsetType

from emulation_saas.kernel.events import AnyRecorded, Event
from emulation_saas.projecting.figures import Figure, FigureRule, Figures
from emulation_saas.projecting.projection import WHOLE, Projection
from emulation_saas.projecting.views import Asked, Document, DocumentView, View
from emulation_saas.provinces.events import ProvinceKind, ProvinceNamed, ProvinceOpened
from projections.names import NameFrom, borne_on


class ProvinceName(NameFrom, frozen=True, kw_only=True):
    """A name of the province, with its kind and code."""

    kind: ProvinceKind
    code: str
    legal_basis: str


class Called(msgspec.Struct, frozen=True, kw_only=True):
    """The state: the handle, and all names in the order in which they were given."""

    province: str = ""
    names: tuple[ProvinceName, ...] = ()


_NAME: Final = FigureRule("province.name-of-the-day@1", "The last name to take effect by the day; null: none", "latest")


class ProvinceDocument(Document, frozen=True, kw_only=True):
    """The province, and what it is called on the day; nothing where it bore no name yet."""

    province: str
    name: str | UnsetType = UNSET
    kind: ProvinceKind | UnsetType = UNSET
    code: str | UnsetType = UNSET
    names: list[ProvinceName]


class Province(Projection[Called]):
    """What the province is called."""

    name: ClassVar[str] = "province"
    version: ClassVar[int] = 1
    reads: ClassVar[tuple[type[Event], ...]] = (ProvinceOpened, ProvinceNamed)
    is_province_wide: ClassVar[bool] = True

    def key(self, event: Event) -> str:
        return WHOLE

    def tags_of(self, key: str) -> list[str]:
        return []

    def initial(self) -> Called:
        return Called()

    def evolve(self, state: Called, recorded: AnyRecorded) -> Called:
        match recorded.event:
            case ProvinceOpened(province=province):
                return Called(province=province, names=state.names)
            case ProvinceNamed() as named:
                given = ProvinceName(
                    name=named.name,
                    effective_on=named.effective_on,
                    position=recorded.position,
                    kind=named.kind,
                    code=named.code,
                    legal_basis=named.legal_basis,
                )
                return Called(province=state.province, names=(*state.names, given))
            case _:  # pragma: no cover - `reads` names no other
                return state

    def figures(self, state: Called, on: date) -> Figures:
        if not state.names:
            return {}
        borne = borne_on(state.names, on)
        at = tuple(name.position for name in state.names)
        return {"name": Figure(None if borne is None else borne.name, _NAME, at=at)}

    @property
    def views(self) -> Sequence[View[Called]]:
        return VIEWS


def _render(state: Called, asked: Asked) -> ProvinceDocument:
    borne = borne_on(state.names, asked.valid_on)
    names = list(state.names)
    if borne is None:
        return ProvinceDocument(province=state.province, names=names)
    return ProvinceDocument(province=state.province, name=borne.name, kind=borne.kind, code=borne.code, names=names)


VIEWS: Final[Sequence[View[Called]]] = (
    DocumentView(
        path="/",
        summary="The province and its name on a day",
        document=ProvinceDocument,
        is_dated=True,
        key=WHOLE,
        render=_render,
    ),
)
