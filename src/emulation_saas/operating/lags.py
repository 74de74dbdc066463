"""Lags: how many events of a province's log have not come through yet to its documents, and to whom they are sent.

Exact: the head less the position reached, both of one snapshot of the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol

from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.postgres.database import Database
from emulation_saas.postgres.statements import load_statements

STATEMENTS: Final = load_statements("emulation_saas.operating")


class Versioned(Protocol):
    """What is asked of a projection here."""

    name: ClassVar[str]
    version: ClassVar[int]


@dataclass(frozen=True, slots=True)
class Follower:
    """Who follows a log, and how far it has come."""

    kind: str
    """`projection`, `bridge`, `consumer` or `webhook`."""
    name: str
    position: int
    quarantined: int
    """Documents of a projection that stand still since an event could not be folded into them."""
    lag: int
    """Events that lie between its position and the head; none where it has read another history than this."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a province's log and all who follow it stand."""

    head: int
    followers: Sequence[Follower]
    """By kind and name."""

    def of_kind(self, kind: str) -> list[Follower]:
        """Return the followers of one kind, by name."""
        return [follower for follower in self.followers if follower.kind == kind]


class Lags:
    """Tells how far everybody is who follows a log."""

    def __init__(self, database: Database, projections: Sequence[Versioned], *, bridged: bool = True) -> None:
        """Ask this database; of projections, in the versions that this release reads; of bridges, if any is to run."""
        self._database = database
        self._passed_over = {"log"} if bridged else {"log", "bridge"}
        self._asked = [each.name for each in projections], [each.version for each in projections]

    async def of(self, province: ProvinceId) -> Standing:
        """Return where a province's log and its followers stand, now."""
        async with self._database.in_province(province) as connection:
            rows: list[Any] = await connection.fetch(STATEMENTS["lags_of"], province, *self._asked)
        head: int = next(row["position"] for row in rows if row["kind"] == "log")
        return Standing(
            head,
            [
                Follower(row["kind"], row["name"], row["position"], row["quarantined"], max(head - row["position"], 0))
                for row in rows
                if row["kind"] not in self._passed_over
            ],
        )
