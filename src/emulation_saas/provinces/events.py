"""What happens to a province as a whole: opened under a permanent handle, named by date."""

from datetime import date
from typing import ClassVar, Literal

from emulation_saas.kernel.events import Event, Visibility

ProvinceKind = Literal["tinh", "thanh_pho"]


class ProvinceOpened(Event, frozen=True, kw_only=True):
    """A platform operator opened the province's log under a permanent handle."""

    type: ClassVar[str] = "province.opened.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC
    province: str

    def tags(self) -> list[str]:
        """Return the tag of the province itself."""
        return ["province"]

    def subject(self) -> str | None:
        """Return None: it is about the province itself."""
        return None


class ProvinceNamed(Event, frozen=True, kw_only=True):
    """From a day on, the province bears this name, kind and code."""

    type: ClassVar[str] = "province.named.v1"
    visibility: ClassVar[Visibility] = Visibility.PUBLIC
    name: str
    kind: ProvinceKind
    code: str
    effective_on: date
    legal_basis: str

    def tags(self) -> list[str]:
        """Return the tag of the province itself."""
        return ["province"]

    def subject(self) -> str | None:
        """Return None: it is about the province itself."""
        return None


EVENTS = (ProvinceOpened, ProvinceNamed)
