"""What the article of 30 January 2024 states, as package data. Absent there is absent here."""

from datetime import date
from importlib.resources import files

import msgspec


class Named(msgspec.Struct, frozen=True):
    """The bloc."""

    name: str
    kind: str


class CoChair(msgspec.Struct, frozen=True):
    """Who chaired, in which office."""

    name: str
    office: str


class Attendance(msgspec.Struct, frozen=True):
    """How many member units were there, and who else."""

    member_units: int
    others: tuple[str, ...]


class Conference(msgspec.Struct, frozen=True):
    """The one meeting that closed a year and opened the next."""

    held_on: date
    place: str
    covers_year: int
    plans_year: int
    co_chairs: tuple[CoChair, ...]
    attendance: Attendance


class TaskRatings(msgspec.Struct, frozen=True):
    """Numbers only: which members were excellent is not stated."""

    rated_good_or_better: int
    of: int
    rated_excellent: int


class Nominees(msgspec.Struct, frozen=True):
    """Who was nominated for an award, both as the article writes them."""

    award: str
    nominees: tuple[str, ...]


class Covered(msgspec.Struct, frozen=True):
    """The year that the meeting summed up."""

    task_ratings: TaskRatings
    leading_unit: str
    nominations: tuple[Nominees, ...]


class Planned(msgspec.Struct, frozen=True):
    """The year that the meeting opened."""

    head: str
    deputy_head: str
    pledge_signed_by: int
    movement_launched: bool


class Spelling(msgspec.Struct, frozen=True):
    """Another way in which the article writes a name."""

    name: str
    written: str = msgspec.field(name="as")


class Facts(msgspec.Struct, frozen=True):
    """Everything that is stated."""

    bloc: Named
    conference: Conference
    members: tuple[str, ...]
    year_2023: Covered
    year_2024: Planned
    also_written: tuple[Spelling, ...]

    def spellings_of(self, name: str) -> list[str]:
        """Return the other ways in which the article writes a name."""
        return [spelling.written for spelling in self.also_written if spelling.name == name]


def load_facts() -> Facts:
    """Return the facts of the article."""
    return msgspec.json.decode((files("emulation_saas.demo") / "facts.json").read_bytes(), type=Facts)
