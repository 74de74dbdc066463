"""A hold keeps a person's data from being erased: placed once, lifted once."""

from typing import Final

import pytest

from emulation_saas.access.events import NoSuchPerson, PersonRegistered
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.privacy.events import HoldLifted, HoldPlaced
from emulation_saas.privacy.use_cases import AlreadyOnHold, LiftHold, NotOnHold, PlaceHold
from tests.builders import PERSON
from tests.scenario import ADMIN, AUDITOR, given

REGISTERED: Final = PersonRegistered(person=PERSON, issuer="https://id.example", sub="dao", name="Đặng Văn Đào")
PLACED: Final = HoldPlaced(person=PERSON, legal_basis="Luật Lưu trữ", because="đang thanh tra")
LIFTED: Final = HoldLifted(person=PERSON, because="xong")


def place(legal_basis: str = "Luật Lưu trữ", *, kids: tuple[str, ...] = ()) -> PlaceHold:
    return PlaceHold(person=PERSON, kids=kids, legal_basis=legal_basis, because="đang thanh tra")


LIFT: Final = LiftHold(person=PERSON, kids=(), because="xong")


def test_hold_is_placed_on_somebody_known_by_register_or_key() -> None:
    given(REGISTERED).when(place(), ADMIN).then(PLACED)
    given().when(place(kids=("k1",)), ADMIN).then(PLACED)
    given().when(place(), ADMIN).then_rejected(NoSuchPerson)


def test_another_hold_is_refused_while_one_stands() -> None:
    given(REGISTERED, PLACED).when(place("Luật Thanh tra"), ADMIN).then_rejected(AlreadyOnHold)
    given(REGISTERED, PLACED, LIFTED).when(place(), ADMIN).then(PLACED)


def test_hold_is_lifted_once() -> None:
    given(REGISTERED, PLACED).when(LIFT, ADMIN).then(LIFTED)
    given(REGISTERED, PLACED, LIFTED).when(LIFT, ADMIN).then_recorded_nothing()


def test_what_was_never_held_is_not_lifted() -> None:
    given(REGISTERED).when(LIFT, ADMIN).then_rejected(NotOnHold)


@pytest.mark.parametrize("step", [place(), LIFT])
def test_nobody_but_an_administrator_holds(step: PlaceHold | LiftHold) -> None:
    given(REGISTERED, PLACED).when(step, AUDITOR).then_rejected(NotEmpowered)
