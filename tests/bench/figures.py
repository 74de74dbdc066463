"""What was measured: a flat object for machines, and a table in which each figure stands beside its limit."""

from statistics import median
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Row(msgspec.Struct, frozen=True):
    """One line of the table: a figure, and how it compares with what it could be at best, or with its rival."""

    what: str
    figure: float
    unit: str
    limit: str = ""
    """What it is compared with."""
    ratio: float | None = None
    demanded: float | None = None
    """The least ratio, or for a figure without a ratio the least figure, that the project wants."""


class Figures:
    """All figures of one run."""

    def __init__(self) -> None:
        self.flat: dict[str, float] = {}
        self._parts: list[tuple[str, list[Row]]] = []

    def add(self, title: str, figures: "Mapping[str, float]", rows: "Sequence[Row]") -> None:
        """Take in what one part measured."""
        self.flat.update(figures)
        self._parts.append((title, list(rows)))

    def encoded(self) -> bytes:
        """Return the flat object as JSON."""
        rounded = {name: round(figure, 4) for name, figure in self.flat.items()}
        return msgspec.json.format(msgspec.json.encode(rounded, order="sorted"))

    def table(self) -> str:
        """Return the table as text."""
        lines: list[str] = []
        for title, rows in self._parts:
            lines += ["", title]
            widest = max(len(row.what) for row in rows)
            lines += [
                f"  {row.what:<{widest}}  {_spelled(row.figure):>11} {row.unit:<9}{_compared(row)}" for row in rows
            ]
        return "\n".join(lines)


def medians(rounds: "Sequence[Mapping[str, float]]") -> dict[str, float]:
    """Return the median of each figure over all rounds."""
    return {name: median(each[name] for each in rounds) for name in rounds[0]}


def _compared(row: Row) -> str:
    text = ""
    if row.ratio is not None:
        text = f"  x {row.ratio:.3f} of {row.limit}" if row.ratio < 10 else f"  x {row.ratio:.1f} of {row.limit}"
    if row.demanded is not None:
        met = (row.figure if row.ratio is None else row.ratio) >= row.demanded
        text += f"  [{'met' if met else 'MISSED'}: {_spelled(row.demanded)} wanted]"
    return text


def _spelled(figure: float) -> str:
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:,.3g}"
