"""The lock file installs on a day when newer releases exist: a requirement with extras is pinned with its extras.

pip takes `coverage[toml]` for another project than a pinned `coverage` and, asked for hashes, refuses what is not
pinned.
"""

import re
from importlib.metadata import distributions
from pathlib import Path

LOCK = (Path(__file__).parents[2] / "requirements.lock").read_text()
_PIN = re.compile(r"^([a-z0-9._-]+)(\[[^]]*\])?==", re.MULTILINE)
_NEED = re.compile(r"^([A-Za-z0-9._-]+)\s*\[([^]]+)\]")


def _name(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).lower()


def test_every_extra_that_a_dependency_asks_for_is_pinned_with_it() -> None:
    pinned = {
        _name(match[1]): set((match[2] or "[]")[1:-1].replace(" ", "").split(",")) for match in _PIN.finditer(LOCK)
    }
    asked = [
        (_name(match[1]), extra.strip())
        for distribution in distributions()
        if _name(distribution.name) in pinned
        for need in distribution.requires or ()
        if "extra ==" not in need and (match := _NEED.match(need))
        for extra in match[2].split(",")
    ]
    assert asked
    assert [(name, extra) for name, extra in asked if extra not in pinned.get(name, {extra})] == []
