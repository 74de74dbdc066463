"""Which names an answer shows, and which are gone: looked for in the answer itself, so no projection can forget one."""

from dataclasses import dataclass, field
from typing import Any, cast

import msgspec

from emulation_saas.projecting.views import Person


@dataclass
class Shown:
    """What an answer shows of persons."""

    redacted: list[str] = field(default_factory=list)
    """JSON pointers to the names that are null because their key is gone, in the answer's order."""
    has_names: bool = False
    """Whether any name is shown."""


def shown_in(document: msgspec.Struct) -> Shown:
    """Look through an answer."""
    shown = Shown()
    _look_through(document, "", shown)
    return shown


def _look_through(part: Any, pointer: str, shown: Shown) -> None:  # noqa: ANN401 - of any shape
    match part:
        case Person(name=None):
            shown.redacted.append(f"{pointer}/name")
        case Person():
            shown.has_names = True
        case msgspec.Struct():
            for each in msgspec.structs.fields(part):
                _look_through(getattr(part, each.name), f"{pointer}/{each.encode_name}", shown)
        case dict():
            for name, value in cast("dict[Any, Any]", part).items():  # type: ignore[redundant-cast] # for the other checker
                key = str(name).replace("~", "~0").replace("/", "~1")
                _look_through(value, f"{pointer}/{key}", shown)
        case list() | tuple():
            for index, value in enumerate(cast("list[Any]", part)):
                _look_through(value, f"{pointer}/{index}", shown)
        case _:
            pass
