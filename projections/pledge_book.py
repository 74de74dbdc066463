"""The pledge of a bloc's year: its text, who signed it by which officer, and who of the members has not.

One document a bloc, as who must sign is its membership. Figures: `{year}/text`, `{year}/signatures/{agency}`.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import ClassVar, Final

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from emulation_saas.blocs.events import BlocEstablished, BlocEvent, MemberAdmitted, Membership, MemberWithdrawn
from emulation_saas.kernel.events import AnyRecorded, Event, YearEvent
from emulation_saas.kernel.ids import AgencyId, BlocId, PersonId
from emulation_saas.pledges.events import PledgeDrafted, PledgeSigned
from emulation_saas.projecting.figures import Figure, FigureRule, Figures
from emulation_saas.projecting.projection import Projection
from emulation_saas.projecting.views import Asked, Document, DocumentView, Person, Position, View
from emulation_saas.years.events import YearOpened


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """A member's signature. The officer's name stays in the log, where it can be erased."""

    person: PersonId
    office: str
    time: datetime
    position: int


class Pledge(msgspec.Struct, frozen=True, kw_only=True):
    """One year's pledge."""

    text: str | None = None
    drafted_at: int = 0
    signatures: dict[AgencyId, Signature] = {}


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """The state: a bloc's pledges, and its membership."""

    membership: Membership = Membership()
    pledges: dict[int, Pledge] = {}


_TEXT: Final = FigureRule("pledge_book.last-draft@1", "The text as it was last drafted", "latest")
_SIGNATURE: Final = FigureRule("pledge_book.last-signature@1", "Who last signed for the member", "latest")


class SignatureLine(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed for a member, and when."""

    agency: AgencyId
    signed_by: Person
    time: datetime
    position: Position


class PledgeDocument(Document, frozen=True, kw_only=True):
    """The pledge of a bloc's year."""

    bloc: BlocId
    year: int
    text: str | UnsetType = UNSET
    drafted_position: Position | UnsetType = UNSET
    signatures: list[SignatureLine]
    """In the order in which they were given."""
    not_signed: list[AgencyId]
    """Members of that year, in the order of their admission."""


class PledgeBook(Projection[Book]):
    """Who pledged what, and who has not."""

    name: ClassVar[str] = "pledge_book"
    version: ClassVar[int] = 1
    reads: ClassVar[tuple[type[Event], ...]] = (
        BlocEstablished,
        MemberAdmitted,
        MemberWithdrawn,
        YearOpened,
        PledgeDrafted,
        PledgeSigned,
    )

    def key(self, event: BlocEvent | YearEvent) -> str:
        return event.bloc

    def tags_of(self, key: str) -> list[str]:
        return [f"bloc:{key}"]

    def initial(self) -> Book:
        return Book()

    def evolve(self, state: Book, recorded: AnyRecorded) -> Book:
        match recorded.event:
            case PledgeSigned(year=year, agency=agency, signed_by=officer):
                pledge = state.pledges.get(year, Pledge())
                signature = Signature(
                    person=officer.person, office=officer.office, time=recorded.time, position=recorded.position
                )
                signed = replace(pledge, signatures={**pledge.signatures, agency: signature})
                return replace(state, pledges={**state.pledges, year: signed})
            case PledgeDrafted(year=year, text=text):
                pledge = state.pledges.get(year, Pledge())
                drafted = replace(pledge, text=text, drafted_at=recorded.position)
                return replace(state, pledges={**state.pledges, year: drafted})
            case YearOpened(year=year):
                return replace(state, pledges={**state.pledges, year: state.pledges.get(year, Pledge())})
            case event:
                return replace(state, membership=state.membership.after(event))

    def figures(self, state: Book, on: date) -> Figures:
        figures: dict[str, Figure] = {}
        for year, pledge in state.pledges.items():
            if pledge.text is not None:
                figures[f"{year}/text"] = Figure(pledge.text, _TEXT, at=(pledge.drafted_at,))
            for agency, signature in pledge.signatures.items():
                signer = {"person": signature.person, "office": signature.office}
                figures[f"{year}/signatures/{agency}"] = Figure(signer, _SIGNATURE, at=(signature.position,))
        return figures

    @property
    def views(self) -> Sequence[View[Book]]:
        return VIEWS


def _render(state: Book, asked: Asked) -> PledgeDocument | None:
    pledge = state.pledges.get(asked.where.year)
    if pledge is None:
        return None
    return PledgeDocument(
        bloc=asked.where.bloc,
        year=asked.where.year,
        text=UNSET if pledge.text is None else pledge.text,
        drafted_position=pledge.drafted_at or UNSET,
        signatures=[
            SignatureLine(
                agency=agency,
                signed_by=Person(
                    person=signature.person,
                    name=asked.names.get((signature.position, signature.person)),
                    office=signature.office,
                ),
                time=signature.time,
                position=signature.position,
            )
            for agency, signature in pledge.signatures.items()
        ],
        not_signed=[agency for agency in state.membership.in_year(asked.where.year) if agency not in pledge.signatures],
    )


VIEWS: Final[Sequence[View[Book]]] = (
    DocumentView(
        path="/blocs/{bloc}/years/{year}/pledge",
        about="{year}",
        summary="The pledge of a bloc's year, who signed it and who has not",
        document=PledgeDocument,
        persons=(PledgeSigned,),
        key="{bloc}",
        render=_render,
    ),
)
