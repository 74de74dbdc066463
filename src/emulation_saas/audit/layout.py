"""How tiles are called, in URLs and in exports (C2SP tlog-tiles)."""

import re
from typing import Final

from emulation_saas.log.merkle import TILE_HASHES

TILE_PATTERN: Final = (
    r"^(?:x[0-9]{3}/){0,5}[0-9]{3}(?:\.p/(?:[1-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5]))?$(?!\n)"
)
_is_tile = re.compile(TILE_PATTERN).fullmatch


def tile_path(level: int, number: int, width: int = TILE_HASHES) -> str:
    """Return the path of a tile of hashes: `tile/0/x001/234`, `tile/0/x001/234.p/5`."""
    return f"tile/{level}/{_place(number, width)}"


def entries_path(number: int, width: int = TILE_HASHES) -> str:
    """Return the path of the bundle of the entries whose hashes are a tile of level 0."""
    return f"tile/entries/{_place(number, width)}"


def read_place(text: str) -> tuple[int, int] | None:
    """Return number and width of a tile's place; None when it is not the one spelling of any."""
    if not _is_tile(text):
        return None
    place, _, width = text.partition(".p/")
    number = int(place.replace("x", "").replace("/", ""))
    read = number, int(width or TILE_HASHES)
    return read if _place(*read) == text else None


def _place(number: int, width: int) -> str:
    digits = str(number)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]]) + (
        "" if width == TILE_HASHES else f".p/{width}"
    )
