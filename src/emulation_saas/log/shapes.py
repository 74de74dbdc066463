"""What the codec must know of a type's fields: which are personal, and whether any number or instant needs spelling."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from emulation_saas.kernel.events import Personal


class Shape(msgspec.Struct, frozen=True):
    """One struct's fields, as far as writing them is not plain JSON."""

    personal: Mapping[str, str] = {}
    """Personal fields, each with the sibling that holds the person's id."""
    nested: Mapping[str, "Shape"] = {}
    """Fields that hold a struct, or a list of structs, with something personal inside."""
    needs_spelling: bool = False
    """Whether a decimal or an instant lies anywhere inside."""

    @property
    def is_personal(self) -> bool:
        """Whether anything inside is personal."""
        return bool(self.personal or self.nested)


def shape_of(struct: type[msgspec.Struct]) -> Shape:
    """Return the shape of a struct, seen through lists and optionals."""
    personal: dict[str, str] = {}
    nested: dict[str, Shape] = {}
    needs_spelling = False
    hints = get_type_hints(struct, include_extras=True)
    for field in msgspec.structs.fields(struct):
        hint = hints[field.name]
        mark = next((extra for extra in getattr(hint, "__metadata__", ()) if isinstance(extra, Personal)), None)
        if mark is not None:
            personal[field.encode_name] = mark.subject
        for leaf in _leaves(hint):
            if leaf in {Decimal, datetime}:
                needs_spelling = True
            elif isinstance(leaf, type) and issubclass(leaf, msgspec.Struct):
                inner = shape_of(leaf)
                needs_spelling |= inner.needs_spelling
                if inner.is_personal:
                    nested[field.encode_name] = inner
    return Shape(personal, nested, needs_spelling)


def _leaves(hint: Any) -> list[Any]:  # noqa: ANN401 - any annotation may stand on a field
    """Return the types a field may hold, inside lists, tuples, unions and annotations."""
    if get_origin(hint) is Annotated:
        return _leaves(get_args(hint)[0])
    if get_origin(hint) in {list, tuple, Union, UnionType}:
        return [leaf for argument in get_args(hint) for leaf in _leaves(argument)]
    return [hint]
