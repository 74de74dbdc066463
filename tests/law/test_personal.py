"""No event type holds the name of a person in the clear: what says who somebody is, is sealed."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final, get_args, get_origin, get_type_hints

import msgspec
import pytest

from emulation_saas.agencies.events import AgencyRegistered, AgencyRenamed
from emulation_saas.blocs.events import BlocEstablished
from emulation_saas.kernel.events import Event, Personal
from emulation_saas.provinces.events import ProvinceNamed
from tests.builders import event_types

NAMES_OF_THINGS: Final = frozenset({AgencyRegistered, AgencyRenamed, BlocEstablished, ProvinceNamed})
"""Agencies, blocs and provinces are no persons."""
IDENTIFYING: Final = frozenset({"name", "issuer", "sub", "email", "phone", "address", "birthday", "title_and_name"})
OF_A_PERSON: Final = frozenset({"person", "role", "office", "agency", "bloc", "criterion"})
BASES: Final = frozenset({"legal_basis", "document_no", "because", "kids"})
"""What may stand beside a person's id: ids, roles and offices, and by which document something was done."""


def unsealed(struct: type[msgspec.Struct], path: str = "") -> Iterator[str]:
    """Yield the fields of a struct, and of those inside, that would tell in the clear who somebody is."""
    hints = get_type_hints(struct, include_extras=True)
    fields = {field.name for field in msgspec.structs.fields(struct)}
    for name in sorted(fields):
        is_sealed = any(isinstance(extra, Personal) for extra in getattr(hints[name], "__metadata__", ()))
        of_person = "person" in fields and name not in OF_A_PERSON | BASES
        if not is_sealed and (of_person or (name in IDENTIFYING and struct not in NAMES_OF_THINGS)):
            yield f"{path}{name}"
        for inner in structs_in(hints[name]):
            yield from unsealed(inner, f"{path}{name}.")


def structs_in(hint: Any) -> Iterator[type[msgspec.Struct]]:  # noqa: ANN401 - any annotation may stand on a field
    if get_origin(hint) is Annotated:
        yield from structs_in(get_args(hint)[0])
    elif isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
    else:
        for argument in get_args(hint):
            yield from structs_in(argument)


@pytest.mark.parametrize("event_type", event_types(), ids=lambda each: each.type)
def test_event_type_tells_nobody_in_the_clear(event_type: type[Event]) -> None:
    assert list(unsealed(event_type)) == []


class _Signer(msgspec.Struct):
    person: str
    nickname: str


class _Signed(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "test.signed.v1"
    name: str
    by: list[_Signer]


def test_field_that_tells_is_found() -> None:
    assert list(unsealed(_Signed)) == ["by.nickname", "name"]
