"""What somebody may suppose, and what is answered: the body of a counterfactual and its document."""

from datetime import date
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from emulation_saas.http.bodies import Moment
from emulation_saas.projecting.comparing import Side
from emulation_saas.projecting.patches import Operation

CHANGES_MAX: Final = 100
"""Events that one counterfactual drops and inserts, together."""
SUPPOSED_EVENTS_MAX: Final = 20_000
"""Events that the document of a counterfactual may rest on: they are folded twice while the caller waits."""

Mode = Literal["strict", "cascade"]


class Insertion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An event that did not happen."""

    after: Annotated[int, Meta(ge=0, description="The position after which it is put")]
    type: Annotated[str, Meta(max_length=100, examples=["scoring.score-appraised.v1"])]
    data: dict[str, Any]
    """As it would stand in the log, personal fields in clear."""
    time: Moment | UnsetType = UNSET
    """When it would have happened; absent: when the event before it was recorded."""


class SuppositionBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is supposed, and the document in which it is looked at."""

    path: Annotated[
        str,
        Meta(
            pattern=r"^/[a-z0-9/-]{0,300}$(?!\n)",
            description="A document below the province, as its GET names it",
            examples=["/blocs/tham-muu-1/years/2023/standings"],
        ),
    ]
    as_of: Annotated[int, Meta(ge=0)] | Annotated[str, Meta(max_length=40)] | UnsetType = UNSET
    """A position, or an instant up to now; absent: now."""
    valid_on: date | UnsetType = UNSET
    mode: Mode = "strict"
    """`strict`: only the named events are missing; `cascade`: so is what they led to."""
    without: Annotated[list[Annotated[int, Meta(ge=1)]], Meta(max_length=CHANGES_MAX)] = []
    """Positions of events that are to be missing."""
    insert: Annotated[list[Insertion], Meta(max_length=CHANGES_MAX)] = []
    scheme: dict[str, Any] | UnsetType = UNSET
    """In place of the scheme with which the year was opened; spelled as there."""


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """What does not hold any more. Without a position it is the answer itself that cannot be made."""

    position: int | UnsetType = UNSET
    reason: str


class Counterfactual(msgspec.Struct, frozen=True, kw_only=True):
    """What would be. Not a fact, and never signed."""

    counterfactual: Literal[True] = True
    path: str
    as_of: Side
    document: Any
    """As it would be; null where there would be none."""
    actual: Any
    """As it is; null where there is none."""
    patch: list[Operation]
    """From what is to what would be."""
    dropped: list[int]
    violations: list[Violation]
