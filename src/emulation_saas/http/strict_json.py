"""Bodies of commands: JSON without its ambiguities, brought into one spelling.

What a body says must not depend on who reads it. So: UTF-8 without BOM; one object; no key twice; no key beyond ASCII;
whole numbers within 2^53; no control character but the line feed (CRLF is taken in as LF); no half of a surrogate pair;
text in NFC (NFD is taken in as NFC), and empty where nothing of it is seen (so a name of spaces is none); at most 32
levels. The result is the canonical spelling (sorted keys, no spaces), from which the typed body is decoded and the
idempotency fingerprint is taken: two spellings of the same are the same.
"""

import json
import re
from typing import Any, Final, NoReturn, Union, cast
from unicodedata import is_normalized, normalize

import msgspec

from emulation_saas.http.limits import BODY_BYTES_MAX, DEPTH_MAX
from emulation_saas.http.refusals import (
    BodyTooLarge,
    DuplicateKey,
    ForbiddenCharacter,
    IntegerOutOfRange,
    MalformedBody,
    MalformedJson,
    NotAnInteger,
    TooDeep,
)
from emulation_saas.kernel.numbers import INTEGER_MAX
from emulation_saas.kernel.texts import is_blank

_DIGITS_MAX: Final = len(str(-INTEGER_MAX))
_FORBIDDEN: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Every control character but LF, and what cannot be written in UTF-8."""
_DELETE_TO_APC: Final = re.compile("[\x7f-\x9f]")
_PERHAPS_BLANK: Final = re.compile(r'"[^\w!-~]+"')
"""A string without any letter, digit or sign of ASCII: whether something else of it is seen is looked at."""
_BRACKETS: Final = re.compile(r'"(?:[^"\\]++|\\.?+)*+"?+|([\[{])|([\]}])', re.DOTALL)
"""A string (closed or not, so that the scan stays linear), an opening or a closing bracket."""

_Json = Union[None, bool, int, str, list["_Json"], dict[str, "_Json"]]  # noqa: UP007 - a name in quotes has no `|`

_encode: Final = msgspec.json.Encoder(order="sorted").encode


def canonical(data: bytes) -> bytes:
    """Return the one spelling of a command's body, or refuse it.

    Raises:
        Rejection: BodyTooLarge, MalformedJson, TooDeep, DuplicateKey, NotAnInteger, IntegerOutOfRange,
            ForbiddenCharacter, or MalformedBody when it is no object. Nothing else.
    """
    if len(data) > BODY_BYTES_MAX:
        raise BodyTooLarge
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        detail = f"not UTF-8 at byte {error.start}"
        raise MalformedJson(detail) from None
    if text.count("{") + text.count("[") > DEPTH_MAX:
        _demand_depth(text)
    try:
        value = _decode(text)
    except json.JSONDecodeError as error:
        detail = f"{error.msg}: line {error.lineno} column {error.colno}"
        raise MalformedJson(detail) from None
    if not isinstance(value, dict):
        detail = "a command's body is a JSON object"
        raise MalformedBody(detail)
    return _encode(value if _is_clean(text) else _cleaned(cast("_Json", value)))


def _is_clean(text: str) -> bool:
    """Tell whether no string can need cleaning: no escapes, no control characters, NFC, something to be seen.

    Parts of NFC text are NFC, and a raw control character below U+0020 has been refused as no JSON already.
    """
    if "\\" in text or _PERHAPS_BLANK.search(text):
        return False
    if text.isascii():
        return "\x7f" not in text
    return _DELETE_TO_APC.search(text) is None and is_normalized("NFC", text)


def _cleaned(value: _Json) -> _Json:
    match value:
        case str():
            return _cleaned_text(value)
        case dict():
            return {_demand_printable(key): _cleaned(inner) for key, inner in value.items()}
        case list():
            return [_cleaned(inner) for inner in value]
        case _:
            return value


def _cleaned_text(text: str) -> str:
    text = text.replace("\r\n", "\n")
    if found := _FORBIDDEN.search(text):
        detail = f"U+{ord(found[0]):04X}"
        raise ForbiddenCharacter(detail)
    return "" if is_blank(text) else normalize("NFC", text)


def _demand_printable(key: str) -> str:
    if not key.isprintable():
        detail = "keys are printable ASCII"
        raise ForbiddenCharacter(detail)
    return key


def _demand_depth(text: str) -> None:
    depth = 0
    for found in _BRACKETS.finditer(text):
        if found[1]:
            depth += 1
            if depth > DEPTH_MAX:
                detail = f"more than {DEPTH_MAX} levels"
                raise TooDeep(detail)
        elif found[2]:
            depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise DuplicateKey
    if not "".join(fields).isascii():
        detail = "keys are printable ASCII"
        raise ForbiddenCharacter(detail)
    return fields


def _integer(digits: str) -> int:
    if len(digits) > _DIGITS_MAX or not -INTEGER_MAX <= (number := int(digits)) <= INTEGER_MAX:
        raise IntegerOutOfRange
    return number


def _no_fraction(_: str) -> NoReturn:
    raise NotAnInteger


def _no_constant(name: str) -> NoReturn:
    detail = f"{name} is not JSON"
    raise MalformedJson(detail)


_decode: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_no_fraction, parse_constant=_no_constant
).decode
