"""What changed between two JSON values, as a JSON Patch (RFC 6902), and which leaves of a document that concerns.

Entries of a list are told apart by what names them, so that a row that moved is a `move` and a row whose points changed
is a `replace` deep inside it. A list whose entries have no name of their own is replaced as a whole.
"""

from collections.abc import Iterable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Change:
    """An operation, and the leaves that it touches: named as `Operation.path`, but entries of lists by their names.

    A list's name followed by `#` stands for the order of its entries.
    """

    operation: Operation
    leaves: frozenset[str]


def patch_between(before: Any, after: Any) -> list[Operation]:  # noqa: ANN401 - any JSON
    """Return the operations that make one JSON value of another."""
    return [change.operation for change in changes_between(before, after)]


def changes_between(before: Any, after: Any, at: str = "", name: str = "") -> list[Change]:  # noqa: ANN401 - any JSON
    """Return the operations that make one JSON value of another, each with the leaves that it touches.

    Args:
        before: the one value.
        after: the other.
        at: where they stand, as a pointer.
        name: the same, with entries of lists by their names.
    """
    if before == after and type(before) is type(after):
        return []  # nearly everywhere; a document has no place where true and 1 can stand for each other
    if isinstance(before, dict) and isinstance(after, dict):
        return _between_objects(cast("dict[str, Any]", before), cast("dict[str, Any]", after), at, name)
    if isinstance(before, list) and isinstance(after, list):
        old: list[Any] = [*before]
        new: list[Any] = [*after]
        field = _naming_field(old, new)
        if field is not None:
            return _between_lists(old, new, field, at, name)
    leaves = leaves_of(before, name) | leaves_of(after, name)
    return [Change(Operation(op="replace", path=at, value=after), leaves)]


def leaves_of(value: Any, name: str) -> frozenset[str]:  # noqa: ANN401 - any JSON
    """Return the names of everything in a JSON value, its own included."""
    found = {name}
    if isinstance(value, dict):
        for key, inner in cast("dict[str, Any]", value).items():
            found |= leaves_of(inner, f"{name}/{_escaped(key)}")
    elif isinstance(value, list):
        entries: list[Any] = [*value]
        field = _naming_field(entries)
        found.add(f"{name}#")
        for entry in entries if field is not None else ():
            found |= leaves_of(entry, f"{name}/{_escaped(str(_name(entry, field or '')))}")
    return frozenset(found)


class Touches:
    """Which steps touched which leaves. Found by name, as many operations ask about many steps."""

    def __init__(self) -> None:
        """Know of no step yet."""
        self._at: dict[str, set[int]] = {}
        self._within: dict[str, set[int]] = {}

    def add(self, step: int, leaves: Iterable[str]) -> None:
        """Take in what a step touched."""
        known = frozenset(leaves)
        for leaf in known:
            self._at.setdefault(leaf, set()).add(step)
        for folder in _with_folders(known):
            self._within.setdefault(folder, set()).add(step)

    def of(self, leaves: frozenset[str]) -> list[int]:
        """Return the steps that have to do with these leaves, in order: one's leaf is, or lies within, the other's."""
        found: set[int] = set()
        for leaf in leaves:
            found.update(self._within.get(leaf, ()))
        for folder in _with_folders(leaves):
            found.update(self._at.get(folder, ()))
        return sorted(found)


def _with_folders(leaves: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for leaf in leaves:
        parts = leaf.split("/")
        found.update("/".join(parts[:end]) for end in range(1, len(parts) + 1))
    return found


def _between_objects(before: dict[str, Any], after: dict[str, Any], at: str, name: str) -> list[Change]:
    changes: list[Change] = []
    for key, value in before.items():
        if key not in after:
            step = f"/{_escaped(key)}"
            changes.append(Change(Operation(op="remove", path=at + step), leaves_of(value, name + step)))
    for key, value in after.items():
        step = f"/{_escaped(key)}"
        if key in before:
            changes += changes_between(before[key], value, at + step, name + step)
        else:
            changes.append(Change(Operation(op="add", path=at + step, value=value), leaves_of(value, name + step)))
    return changes


def _between_lists(before: list[Any], after: list[Any], field: str, at: str, name: str) -> list[Change]:
    """Remove what has gone, bring the rest into order, and then go into what has stayed."""
    old = {_name(entry, field): entry for entry in before}
    wanted = [_name(entry, field) for entry in after]
    order, there = f"{name}#", [_name(entry, field) for entry in before]
    kept = frozenset(wanted)
    changes: list[Change] = []
    for index in range(len(there) - 1, -1, -1):
        if there[index] not in kept:
            gone = leaves_of(before[index], _below(name, there[index])) | {order}
            changes.append(Change(Operation(op="remove", path=f"{at}/{index}"), gone))
            del there[index]
    for index, each in enumerate(wanted):
        if each not in old:
            come = leaves_of(after[index], _below(name, each)) | {order}
            changes.append(Change(Operation(op="add", path=f"{at}/{index}", value=after[index]), come))
            there.insert(index, each)
        elif there[index] != each:
            place = there.index(each)
            moved = Operation(op="move", path=f"{at}/{index}", from_=f"{at}/{place}")
            changes.append(Change(moved, frozenset({order})))
            there.insert(index, there.pop(place))
    for index, each in enumerate(wanted):
        if each in old:
            changes += changes_between(old[each], after[index], f"{at}/{index}", _below(name, each))
    return changes


def _below(name: str, entry: str | int | None) -> str:
    return f"{name}/{_escaped(str(entry))}"


def _naming_field(*lists: list[Any]) -> str | None:
    """Return the field that names the entries of all these lists; the empty one where texts name themselves."""
    if all(_is_told_apart(entries, "") for entries in lists):
        return ""
    return next((field for field in NAMING if all(_is_told_apart(entries, field) for entries in lists)), None)


def _is_told_apart(entries: list[Any], field: str) -> bool:
    names: set[str | int] = set()
    for entry in entries:
        name = _name(entry, field)
        if name is None or name in names:
            return False
        names.add(name)
    return True


def _name(entry: Any, field: str) -> str | int | None:  # noqa: ANN401 - any JSON
    """Return what names an entry; None where nothing does."""
    if not field:
        return entry if isinstance(entry, str) else None
    name = cast("dict[str, Any]", entry).get(field) if isinstance(entry, dict) else None
    return name if isinstance(name, str | int) else None


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
