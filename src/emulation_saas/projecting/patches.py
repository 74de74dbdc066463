"""What changed between two JSON values, as a JSON Patch (RFC 6902), and which leaves of a document that concerns.

Entries of a list are told apart by what names them, so that a row that moved is a `move` and a row whose points changed
is a `replace` deep inside it. A list whose entries have no name of their own is replaced as a whole.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, cast

import msgspec
from msgspec import UNSET, Meta, UnsetType

NAMING: Final = (
    "dispute",
    "nomination",
    "meeting",
    "ballot",
    "question",
    "option",
    "criterion",
    "agency",
    "bloc",
    "version",
    "year",
    "position",
)
"""Fields that name an entry among its list; the first that all entries have, each another, does."""

Pointer = Annotated[str, Meta(description="JSON pointer (RFC 6901)")]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of a JSON Patch."""

    op: Literal["add", "remove", "replace", "move"]
    path: Pointer
    from_: Pointer | UnsetType = msgspec.field(name="from", default=UNSET)
    value: Any = UNSET


Leaves = Mapping[str, Any]
"""The scalars of a value by where they stand: entries of lists by their names; and the order of each list."""


def patch_between(before: Any, after: Any, at: str = "") -> list[Operation]:  # noqa: ANN401 - any JSON
    """Return the operations that make one JSON value of another."""
    if before == after and type(before) is type(after):
        return []
    if isinstance(before, dict) and isinstance(after, dict):
        return _between_objects(cast("dict[str, Any]", before), cast("dict[str, Any]", after), at)
    if isinstance(before, list) and isinstance(after, list):
        old, new = cast("list[Any]", before), cast("list[Any]", after)
        field = _naming_field([*old], [*new])
        if field is not None:
            return _between_lists(old, new, field, at)
    return [Operation(op="replace", path=at, value=after)]


def leaves_of(value: Any, at: str = "") -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Return the leaves of a JSON value."""
    if isinstance(value, dict):
        found: dict[str, Any] = {f"{at}/": None}
        for name, inner in cast("dict[str, Any]", value).items():
            found |= leaves_of(inner, f"{at}/{_escaped(name)}")
        return found
    if isinstance(value, list):
        entries = cast("list[Any]", value)
        field = _naming_field(entries)
        if field is None:
            return {at: entries}
        names = [_name(entry, field) for entry in entries]
        found = {at: names}
        for name, entry in zip(names, entries, strict=True):
            found |= leaves_of(entry, f"{at}/{_escaped(str(name))}")
        return found
    return {at: value}


def changed_leaves(before: Leaves, after: Leaves) -> set[str]:
    """Return where leaves differ, have come or have gone."""
    return {name for name in before.keys() | after.keys() if before.get(name, UNSET) != after.get(name, UNSET)}


def _between_objects(before: dict[str, Any], after: dict[str, Any], at: str) -> list[Operation]:
    operations = [Operation(op="remove", path=f"{at}/{_escaped(name)}") for name in before if name not in after]
    for name, value in after.items():
        path = f"{at}/{_escaped(name)}"
        if name in before:
            operations += patch_between(before[name], value, path)
        else:
            operations.append(Operation(op="add", path=path, value=value))
    return operations


def _between_lists(before: list[Any], after: list[Any], field: str, at: str) -> list[Operation]:
    """Remove what has gone, bring the rest into order, and then go into what has stayed."""
    old = {_name(entry, field): entry for entry in before}
    wanted = [_name(entry, field) for entry in after]
    names = [_name(entry, field) for entry in before]
    operations: list[Operation] = []
    for index in range(len(names) - 1, -1, -1):
        if names[index] not in wanted:
            operations.append(Operation(op="remove", path=f"{at}/{index}"))
            del names[index]
    for index, name in enumerate(wanted):
        if name not in old:
            operations.append(Operation(op="add", path=f"{at}/{index}", value=after[index]))
            names.insert(index, name)
        elif names[index] != name:
            place = names.index(name)
            operations.append(Operation(op="move", path=f"{at}/{index}", from_=f"{at}/{place}"))
            names.insert(index, names.pop(place))
    for index, name in enumerate(wanted):
        if name in old:
            operations += patch_between(old[name], after[index], f"{at}/{index}")
    return operations


def _naming_field(*lists: list[Any]) -> str | None:
    """Return the field that names the entries of all these lists; the empty one where texts name themselves."""
    if all(_is_told_apart(entries, "") for entries in lists):
        return ""
    return next((field for field in NAMING if all(_is_told_apart(entries, field) for entries in lists)), None)


def _is_told_apart(entries: list[Any], field: str) -> bool:
    names = [_name(entry, field) for entry in entries]
    return None not in names and len(set(names)) == len(names)


def _name(entry: Any, field: str) -> str | int | None:  # noqa: ANN401 - any JSON
    """Return what names an entry; None where nothing does."""
    if not field:
        return entry if isinstance(entry, str) else None
    name = cast("dict[str, Any]", entry).get(field) if isinstance(entry, dict) else None
    return name if isinstance(name, str | int) else None


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
