"""What the article does not state: texts from package data, marked, and figures reckoned from places in a list."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from importlib.resources import files
from typing import Any, Final, cast

import msgspec

MARK: Final = "minh họa"
"""Illustrative. It stands in every text that is made up, so wherever that text is shown, this is."""
MADE_UP: Final = "minh-hoa-"
"""How handles of what is made up begin, for documents that show handles only."""
_STEP: Final = Decimal("0.5")


class ProvinceMade(msgspec.Struct, frozen=True):
    """The invented province."""

    province: str
    name: str
    kind: str
    code: str


class LegalBases(msgspec.Struct, frozen=True):
    """Documents that the article does not name."""

    province: str
    bloc: str
    rules: str
    nomination: str


class AgencyHandle(msgspec.Struct, frozen=True):
    """The handle under which an agency of the article is registered."""

    name: str
    agency: str


class PersonsMade(msgspec.Struct, frozen=True):
    """Persons who stand for those whom the article does not name."""

    admin: str
    secretary: str
    representative: str
    council_member: str
    auditor: str
    integrator: str
    signer: str
    signer_office: str


class CriterionMade(msgspec.Struct, frozen=True, omit_defaults=True):
    """A criterion; one that is nobody's parent is scored."""

    criterion: str
    title: str
    points_max: str
    parent: str | msgspec.UnsetType = msgspec.UNSET


class SchemeMade(msgspec.Struct, frozen=True):
    """A score table."""

    title: str
    criteria: tuple[CriterionMade, ...]

    def leaves(self) -> list[CriterionMade]:
        """Return the criteria that are scored."""
        parents = {criterion.parent for criterion in self.criteria}
        return [criterion for criterion in self.criteria if criterion.criterion not in parents]


class Reasons(msgspec.Struct, frozen=True):
    """Why an appraisal gives less, more or the same."""

    lower: str
    higher: str
    same: str


class DisputeMade(msgspec.Struct, frozen=True):
    """A dispute from filing to correction, and the term that the year's rules set."""

    dispute: str
    agency: str
    answer_days: int
    text: str
    evidence: str
    evidence_bytes: int
    answer: str
    uphold: str
    correction: str


class BallotMade(msgspec.Struct, frozen=True):
    """A ballot's handle and title."""

    ballot: str
    title: str


class BallotsMade(msgspec.Struct, frozen=True):
    """All ballots."""

    leader: BallotMade
    flags: BallotMade
    certificates: BallotMade
    offices: BallotMade
    roll_call: BallotMade


class Illustrations(msgspec.Struct, frozen=True):
    """Everything that is made up."""

    province: ProvinceMade
    effective_on: str
    legal_basis: LegalBases
    bloc: str
    meeting: str
    agencies: tuple[AgencyHandle, ...]
    persons: PersonsMade
    scheme: SchemeMade
    explanation: str
    reasons: Reasons
    dispute: DisputeMade
    acclaim_because: str
    ballots: BallotsMade
    questions: dict[str, str]
    roll_call_options: tuple[str, ...]
    roll_call_closes_at: str
    roll_call_waits_for: str
    pledge: str
    launch: str

    def handle_of(self, name: str) -> str:
        """Return the handle of an agency, by its name in the article."""
        return next(agency.agency for agency in self.agencies if agency.name == name)


def load_illustrations() -> Illustrations:
    """Return what is made up."""
    return msgspec.json.decode((files("emulation_saas.demo") / "illustrations.json").read_bytes(), type=Illustrations)


def marked(text: str) -> str:
    """Return a made-up text with its mark."""
    return text if MARK in text else f"{text} ({MARK})"


def claimed_points(place: int, leaf: int, points_max: str) -> Decimal:
    """Return what the member at a place (0 is best) claims for a criterion."""
    return Decimal(points_max) - _STEP * (place + 1 + (place * (leaf + 1)) % 3)


def appraised_points(place: int, claimed: Decimal) -> Decimal:
    """Return what the appraisal gives instead: in turn the same, less (the more so, the lower the place), more."""
    return claimed + _STEP * (0, -place, 1)[place % 3]


def paper_votes(options: Sequence[str], chosen: Sequence[str], *, voters: int, seats: int) -> dict[str, int]:
    """Return votes by which exactly the given options are chosen, in their order, every paper being marked fully.

    The first gets two votes fewer than there are voters, each next one fewer; what is left goes round the others.
    """
    votes = dict.fromkeys(options, 0)
    for place, option in enumerate(chosen):
        votes[option] = voters - 2 - place
    others = [option for option in options if option not in chosen]
    for paper in range(voters * seats - sum(votes.values())):
        votes[others[paper % len(others)]] += 1
    return votes


def made_up_texts(document: Any, at: str = "") -> list[str]:  # noqa: ANN401 - any JSON value
    """Return every marked text in a JSON value, each with where it stands: `scheme.title: …`."""
    if isinstance(document, str):
        return [f"{at}: {document}"] if MARK in document else []
    inside: list[tuple[str, Any]] = []
    if isinstance(document, dict):
        named = cast("Mapping[str, Any]", document)
        inside = [(f"{at}.{name}" if at else name, value) for name, value in named.items()]
    elif isinstance(document, list):
        listed = cast("Sequence[Any]", document)
        inside = [(at, value) for value in listed]
    return [found for place, value in inside for found in made_up_texts(value, place)]
