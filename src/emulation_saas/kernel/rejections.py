"""Why something was refused: facts about the request, named once, with a code that never changes.

The docstring is the title on the wire. Which status a kind has stands in one table in `http`.
"""

from typing import ClassVar


class Rejection(Exception):  # noqa: N818 - a rejection is an answer, not an error of ours
    """The request cannot be granted."""

    code: ClassVar[str]

    def __init__(self, detail: str | None = None) -> None:
        """Take what is particular to this case, for people; the code and title say the rest."""
        super().__init__(detail)
        self.detail = detail

    @classmethod
    def title(cls) -> str:
        """Return the first line of the docstring."""
        return (cls.__doc__ or cls.code).strip().splitlines()[0]


class NotFound(Rejection):
    """There is no such thing, or the caller may not know of it."""


class Forbidden(Rejection):
    """The caller is known and not empowered."""


class Conflict(Rejection):
    """It contradicts the present state."""


class Invalid(Rejection):
    """It can be true in no state."""


class NotEmpowered(Forbidden):
    """The caller's roles and offices do not empower this."""

    code = "not-empowered"


class TimeInFuture(Invalid):
    """What is entered from paper must have happened already."""

    code = "time-in-future"


class DisputeNotUpheld(Conflict):
    """The dispute that the command names as its cause was not upheld in this bloc and year."""

    code = "dispute-not-upheld"


class PaperNeedsTime(Invalid):
    """What is entered from paper must say when it happened."""

    code = "paper-needs-time"
