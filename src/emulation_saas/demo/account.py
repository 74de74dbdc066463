"""Reads the year back, as any caller may: every word of the account comes from the service's documents."""

from typing import Any, Final

import msgspec

from emulation_saas.demo.illustrations import MADE_UP, made_up_texts
from emulation_saas.demo.player import Api
from emulation_saas.demo.scene import ADMIN

_NOT_STATED: Final = (
    "bloc effective_on, members.since, agencies.effective_on: the article states no such day",
    "persons: who acts for the province, the bloc and its members in the service",
)
"""Made up, and in places that hold no text to be marked."""
_Json = dict[str, Any]


class ChairTold(msgspec.Struct, frozen=True):
    """Who chaired."""

    name: str | None
    office: str


class AttendanceTold(msgspec.Struct, frozen=True):
    """How many members were there, and who else."""

    member_units: int
    others: list[str]


class MeetingTold(msgspec.Struct, frozen=True):
    """The conference."""

    held_on: str
    place: str
    chairs: list[ChairTold]
    attendance: AttendanceTold


class RatingsTold(msgspec.Struct, frozen=True):
    """The ratings, in numbers only."""

    of: int
    good_or_better: int
    excellent: int


class NominationTold(msgspec.Struct, frozen=True):
    """Who is nominated for what."""

    award: str
    nominee: str


class PledgeTold(msgspec.Struct, frozen=True):
    """How many of the members signed."""

    year: int
    signed: int
    of: int


class Account(msgspec.Struct, frozen=True):
    """The year in short, with the agencies' present names."""

    province: str
    bloc: str
    bloc_kind: str
    meeting: MeetingTold
    launched: list[int]
    members: list[str]
    ratings: RatingsTold
    leading_unit: str
    nominations: list[NominationTold]
    offices: dict[str, dict[str, str]]
    pledge: PledgeTold
    head_position: int
    root: str
    illustrative: list[str]
    """What is made up: in which document, where in it, and the text, if it is one."""


class Library:
    """The documents of one bloc's year and the next, all as of one position."""

    def __init__(self, api: Api, *, province: str, bloc: str) -> None:
        """Read them; the years are those that the bloc's meeting covers and plans."""
        self._api = api
        self._at = f"/provinces/{province}"
        self._bloc = f"/blocs/{bloc}"
        self.read: dict[str, _Json] = {}
        """Every document that tells something by itself, by what it is, in the order of reading."""
        self.head = api.get(f"{self._at}/log", by=ADMIN)
        self.province = self._document("province", "/")
        self.bloc = self._document("bloc", self._bloc)
        self.years = self._get(f"{self._bloc}/years")
        of_year = {line["year"]: self._of(line["year"], "year", "") for line in self.years["years"]}
        self.meeting: _Json = next(
            meeting for year in of_year.values() for meeting in year["meetings"] if "covers_year" in meeting
        )
        self.covered: int = self.meeting["covers_year"]
        self.planned: int = self.meeting["plans_year"]
        self.standings = self._of(self.covered, "standings", "/standings")
        self.ratings = self._of(self.covered, "ratings", "/ratings")
        self.tallies = [
            self._document(f"ballot {line['ballot']}", f"{ballots}/{line['ballot']}/tally")
            for ballots in (f"{self._bloc}/years/{year}/ballots" for year in of_year)
            for line in self._get(ballots)["ballots"]
        ]
        self.nominations = self._of(self.covered, "nominations", "/nominations")
        self.offices = self._of(self.planned, "offices", "/offices")
        self.pledge = self._of(self.planned, "pledge", "/pledge")
        self._names: dict[str, str] = {member["agency"]: member["name"] for member in self.bloc["members"]}

    def name(self, agency: str) -> str:
        """Return an agency's name today; for what is no member, the handle itself."""
        return self._names.get(agency, agency)

    def _of(self, year: int, what: str, path: str) -> _Json:
        return self._document(f"{what} {year}", f"{self._bloc}/years/{year}{path}")

    def _document(self, what: str, path: str) -> _Json:
        document = self.read[what] = self._get(path)
        return document

    def _get(self, path: str) -> _Json:
        return self._api.get(f"{self._at}{path}".rstrip("/"), by=ADMIN, as_of=self.head["position"])


def account_of(library: Library) -> Account:
    """Return the year in short."""
    meeting, aggregate, pledge = library.meeting, library.ratings["aggregate"]["aggregate"], library.pledge
    attendance = meeting["attendance"]
    return Account(
        province=library.province["name"],
        bloc=library.bloc["name"],
        bloc_kind=library.bloc["kind"],
        meeting=MeetingTold(
            held_on=meeting["held_on"],
            place=meeting["place"],
            chairs=[ChairTold(chair["name"], chair["office"]) for chair in meeting["chairs"]],
            attendance=AttendanceTold(len(attendance["members"]), attendance["others"]),
        ),
        launched=[line["year"] for line in library.years["years"] if line["is_launched"]],
        members=[member["name"] for member in library.bloc["members"]],
        ratings=RatingsTold(aggregate["of"], aggregate["good_or_better"], aggregate["excellent"]),
        leading_unit=library.name(library.nominations["leaders"][0]["agency"]),
        nominations=[
            NominationTold(made["award"], library.name(made["agency"])) for made in library.nominations["nominations"]
        ],
        offices={
            str(library.planned): {
                holder["office"]: library.name(holder["agency"]) for holder in library.offices["offices"]
            }
        },
        pledge=PledgeTold(
            year=pledge["year"],
            signed=len(pledge["signatures"]),
            of=len(pledge["signatures"]) + len(pledge["not_signed"]),
        ),
        head_position=library.head["position"],
        root=library.head["root"],
        illustrative=illustrative_in(library.read),
    )


def illustrative_in(documents: dict[str, _Json]) -> list[str]:
    """Return what of the documents is made up: marked texts, and the figures that rest on what is marked."""
    found: list[str] = []
    for what, document in documents.items():
        told: set[str] = set()
        for text in made_up_texts(document):
            if text.partition(": ")[2] not in told:  # a name is listed once, however often its document repeats it
                told.add(text.partition(": ")[2])
                found.append(f"{what} {text}")
        if any(leaf["criterion"].startswith(MADE_UP) for leaf in document.get("criteria", ())):
            found.append(f"{what} criteria, points, ranks")
        if document.get("ballot", "").startswith(MADE_UP):
            found.append(f"{what} mode, rule, counts, votes, shares, chosen")
    return [*found, *_NOT_STATED]
