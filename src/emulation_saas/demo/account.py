"""The year in short: every word of it comes from the service's documents."""

from typing import Any, Final

import msgspec

from emulation_saas.demo.auditing import Audit, CounterfactualTold, DisputeTold, ExplainedTold, SignedTold
from emulation_saas.demo.following import FollowedTold
from emulation_saas.demo.illustrations import MADE_UP, made_up_texts
from emulation_saas.demo.library import Library

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
    dispute: DisputeTold
    explained: ExplainedTold
    counterfactual: CounterfactualTold
    head_position: int
    root: str
    signed: SignedTold
    followed: FollowedTold
    illustrative: list[str]
    """What is made up: in which document, where in it, and the text, if it is one."""


def account_of(library: Library, audit: Audit, followed: FollowedTold) -> Account:
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
        dispute=audit.dispute,
        explained=audit.explained,
        counterfactual=audit.counterfactual,
        head_position=library.head,
        root=audit.root,
        signed=audit.signed,
        followed=followed,
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
        if "rules" in document:
            found += [f"{what} rules.{rule}" for rule in document["rules"] if rule != "legal_basis"]
        if document.get("dispute", "").startswith(MADE_UP):
            found.append(f"{what} evidence, answer, decision, corrections, and what is explained and supposed of them")
        if document.get("ballot", "").startswith(MADE_UP):
            found.append(f"{what} mode, rule, counts, votes, shares, chosen")
    return [*found, *_NOT_STATED]
