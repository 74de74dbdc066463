"""What every command's body shares: no unknown field, bounded text, and the day or instant of what comes from paper."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from emulation_saas.kernel.clock import parse_moment
from emulation_saas.kernel.events import Official
from emulation_saas.kernel.ids import Person, PersonId, mint_person
from emulation_saas.kernel.rejections import Invalid

Line = Annotated[str, Meta(min_length=1, max_length=300)]
"""A name, a title, an office, a document's number: 1 to 300 characters, and something to be seen (`strict_json`)."""
Text = Annotated[str, Meta(max_length=15_000)]
"""Running text, at most 15 000 characters, so that four bytes each still fit an event."""
Moment = Annotated[
    str,
    Meta(
        pattern=(
            r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
            r"(?:[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[Zz]|[+-][0-9]{2}:[0-9]{2}))?$(?!\n)"
        ),
        description="A day (its start in Asia/Ho_Chi_Minh) or an RFC 3339 instant without a fraction",
        examples=["2024-01-30", "2024-01-30T09:00:00+07:00"],
    ),
]


class NoSuchMoment(Invalid):
    """The day or instant does not exist."""

    code = "no-such-moment"


def moment(text: str) -> datetime:
    """Read a day or an instant from a body or a query.

    Raises:
        NoSuchMoment: it is spelled well and is on no calendar, or is spelled otherwise.
    """
    try:
        return parse_moment(text)
    except ValueError as error:
        raise NoSuchMoment(text) from error


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a command."""

    time: Moment | UnsetType = UNSET
    """When it happened, for what is entered from paper; absent: now."""

    def entered(self) -> datetime | None:
        """Return the instant entered from paper, or None."""
        return None if self.time is UNSET else moment(self.time)


class OfficialBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person in an office; somebody who stands only on paper is given an id."""

    person: Person | UnsetType = UNSET
    name: Annotated[Line, Meta(examples=["Đặng Văn Đào"])]
    office: Annotated[Line, Meta(examples=["Giám đốc Sở Tư pháp"])]

    def official(self) -> Official:
        """Return the official, with an id minted now where there is none."""
        person = mint_person() if self.person is UNSET else PersonId(self.person)
        return Official(person=person, name=self.name, office=self.office)
