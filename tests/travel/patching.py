"""A JSON Patch is applied by the book (RFC 6902), operation by operation: what our patches are checked against."""

from typing import Any

import msgspec


def applied(patch: list[dict[str, Any]], value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return the value after a patch; the one given stays as it is."""
    document: dict[str, Any] = {"": msgspec.json.decode(msgspec.json.encode(value))}
    for operation in patch:
        match operation:
            case {"op": "move", "from": source, "path": path}:
                _put(document, path, _taken(document, source), is_new=True)
            case {"op": "remove", "path": path}:
                _taken(document, path)
            case {"op": "add" | "replace" as op, "path": path, "value": new}:
                if op == "replace":
                    _at(document, path)
                _put(document, path, new, is_new=op == "add")
            case _:
                raise AssertionError(operation)
    return document[""]


def _at(document: Any, path: str) -> Any:  # noqa: ANN401 - any JSON
    parent, last = _parent(document, path)
    return parent[int(last) if isinstance(parent, list) else last]


def _parent(document: Any, path: str) -> tuple[Any, str]:  # noqa: ANN401 - any JSON
    """Return what holds the place that a pointer names, and the place in it."""
    *steps, last = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")]
    place: Any = document
    for step in steps:
        place = place[int(step) if isinstance(place, list) else step]
    return place, last


def _taken(document: Any, path: str) -> Any:  # noqa: ANN401 - any JSON
    parent, last = _parent(document, path)
    return parent.pop(int(last) if isinstance(parent, list) else last)


def _put(document: Any, path: str, value: Any, *, is_new: bool) -> None:  # noqa: ANN401 - any JSON
    parent, last = _parent(document, path)
    if isinstance(parent, list):
        parent[int(last) : int(last) + (not is_new)] = [value]
    else:
        parent[last] = value
