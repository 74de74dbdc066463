"""Identifiers: public, permanent handles for things, opaque ids for persons.

A handle is chosen by people, never reused and unique in its province. Names and codes are dated data, never keys.
"""

import re
import secrets
from typing import Annotated, Final, NewType
from uuid import UUID

from msgspec import Meta

ProvinceId = NewType("ProvinceId", UUID)
PersonId = NewType("PersonId", str)
AgencyId = NewType("AgencyId", str)
BlocId = NewType("BlocId", str)
BallotId = NewType("BallotId", str)
NominationId = NewType("NominationId", str)
MeetingId = NewType("MeetingId", str)
DisputeId = NewType("DisputeId", str)
WebhookId = NewType("WebhookId", str)

HANDLE_PATTERN: Final = r"^[a-z0-9-]{1,40}$(?!\n)"
"""Ends so because `$` alone also matches before a last line feed where patterns are searched for."""
PERSON_PATTERN: Final = r"^p-[a-z2-7]{10}$(?!\n)"

Handle = Annotated[
    str, Meta(pattern=HANDLE_PATTERN, description="Permanent handle, unique in its province", examples=["tham-muu-1"])
]
Person = Annotated[str, Meta(pattern=PERSON_PATTERN, description="Opaque id of a person", examples=["p-7f3k5d2mqa"])]

OPERATOR: Final = PersonId("operator")
"""The actor of what a platform operator does; operators are no persons of any province."""

_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"
_is_handle = re.compile(HANDLE_PATTERN).fullmatch


def is_handle(text: str) -> bool:
    """Tell whether the text may be a handle."""
    return _is_handle(text) is not None


def mint_person() -> PersonId:
    """Draw a new opaque person id (50 random bits), outside any decision."""
    return PersonId("p-" + "".join(secrets.choice(_ALPHABET) for _ in range(10)))
