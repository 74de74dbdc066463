"""Vietnamese or English, as the caller asks: titles of problems by their code."""

from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, Literal

import msgspec

from emulation_saas.kernel.rejections import Rejection

Language = Literal["en", "vi"]
_PARTS_MAX: Final = 20


@cache
def catalogue() -> dict[str, str]:
    """Return the Vietnamese titles: code to title. English titles are the docstrings."""
    text = files("emulation_saas.http").joinpath("catalogue/vi.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, str])


@lru_cache(maxsize=256)
def language_of(accept: bytes | None) -> Language:
    """Return the language an Accept-Language header prefers; English when it prefers neither."""
    best, best_weight = "en", 0.0
    for part in (accept or b"").decode("latin-1").lower().split(",")[:_PARTS_MAX]:
        tag, _, parameter = part.strip().partition(";")
        primary = tag.strip().partition("-")[0]
        weight = _weight(parameter)
        if primary in {"en", "vi"} and weight > best_weight:
            best, best_weight = primary, weight
    return "vi" if best == "vi" else "en"


def title_of(rejection: type[Rejection], language: Language) -> str:
    """Return what a kind of refusal is called in a language; in English where no translation stands."""
    if language == "vi" and (title := catalogue().get(rejection.code)):
        return title
    return rejection.title()


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
