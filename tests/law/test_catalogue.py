"""Every refusal of the project has a code of its own kind and a title in both languages."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

import emulation_saas
from emulation_saas.http.languages import catalogue
from emulation_saas.http.refusals import status_of
from emulation_saas.kernel.rejections import Rejection

for _module in pkgutil.walk_packages(emulation_saas.__path__, "emulation_saas."):
    if not _module.name.endswith("__main__"):
        importlib.import_module(_module.name)


def _below(kind: type[Rejection]) -> Iterator[type[Rejection]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)


REFUSALS = sorted(
    {each for each in _below(Rejection) if "code" in vars(each) and each.__module__.startswith("emulation_saas.")},
    key=lambda each: (each.code, each.__module__),
)


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda each: f"{each.__module__}.{each.__name__}")
def test_every_refusal_has_a_code_a_status_and_a_title_in_both_languages(refusal: type[Rejection]) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", refusal.code)
    assert refusal.__doc__ is not None, "the docstring is the title"
    assert refusal.title().endswith(".")
    assert status_of(refusal()) >= 400
    vietnamese = catalogue().get(refusal.code)
    assert vietnamese, f"{refusal.code} has no title in http/catalogue/vi.json"
    assert vietnamese != refusal.title()
    assert vietnamese.endswith(".")


def test_a_code_means_one_status() -> None:
    statuses: dict[str, set[int]] = {}
    for refusal in REFUSALS:
        statuses.setdefault(refusal.code, set()).add(status_of(refusal()))
    assert {code: found for code, found in statuses.items() if len(found) > 1} == {}


def test_no_title_is_left_of_a_code_that_is_gone() -> None:
    assert set(catalogue()) - {refusal.code for refusal in REFUSALS} == set()
