"""What a document says, figure by figure: the value, the rule by which it came about, and on what it rests.

A figure rests on events directly (`at`), on other figures of its document (`inputs`), or on both. All that it rests on
is found by following the inputs: nothing is said twice, so nothing can contradict itself.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

Op = Literal["sum", "count", "rank", "latest"]
"""How a value follows: the sum of its inputs, their number, a place among them, or what the newest event says."""


class FigureRule(msgspec.Struct, frozen=True):
    """By what a figure is made. Its name ends with a version: another way of making it is another rule."""

    name: str
    meaning: str
    """One line, for people."""
    op: Op | None = None


class Figure(msgspec.Struct, frozen=True):
    """One figure of a document."""

    value: Any
    """As it is shown: decimals are strings."""
    rule: FigureRule
    at: tuple[int, ...] = ()
    """Positions of the events that it rests on itself."""
    inputs: tuple[str, ...] = ()
    """Names of the figures of the same document that it is made from."""


Figures = Mapping[str, Figure]
"""Figures by name: words and handles joined with `/`."""


def reasons_of(figures: Figures, name: str) -> list[int]:
    """Return the positions on which a figure rests, its inputs' included, in order; none for one that is not there."""
    found: set[int] = set()
    seen: set[str] = set()
    waiting = [name] if name in figures else []
    while waiting:
        figure = figures[waiting.pop()]
        found.update(figure.at)
        waiting += [each for each in figure.inputs if each not in seen]
        seen.update(figure.inputs)
    return sorted(found)
