"""The states of one nomination, read from the last that happened to it, and what each state refuses."""

import msgspec

from emulation_saas.kernel.rejections import Conflict
from emulation_saas.nominations.events import (
    NominationEvent,
    NominationForwarded,
    NominationMade,
    NominationSuspended,
    NominationYielded,
)


class NominationIsYielded(Conflict):
    """The nominee has withdrawn."""

    code = "nomination-yielded"


class NominationIsForwarded(Conflict):
    """The nomination has gone to the standing body."""

    code = "nomination-forwarded"


class NominationIsSuspended(Conflict):
    """The nomination is suspended."""

    code = "nomination-suspended"


class NominationIsDisputed(Conflict):
    """A dispute for which the nomination rests is pending: its end says how the nomination goes on."""

    code = "nomination-disputed"


class NominationNotSuspended(Conflict):
    """The nomination is not suspended."""

    code = "nomination-not-suspended"


class Nomination(msgspec.Struct, frozen=True):
    """One nomination: how it was made, and the last that happened to it."""

    made: NominationMade
    last: NominationEvent

    @property
    def holds_its_place(self) -> bool:
        """Whether the nominee still stands for the award: suspended and forwarded ones do."""
        return not isinstance(self.last, NominationYielded)

    def require_made(self) -> None:
        """Let pass a nomination that may be yielded, suspended or forwarded.

        Raises:
            NominationIsYielded: the nominee has withdrawn.
            NominationIsForwarded: it has gone to the standing body.
            NominationIsSuspended: it rests.
        """
        match self.last:
            case NominationYielded():
                raise NominationIsYielded
            case NominationForwarded():
                raise NominationIsForwarded
            case NominationSuspended():
                raise NominationIsSuspended
            case _:
                return

    def require_suspended(self) -> None:
        """Let pass a nomination that may be resumed.

        Raises:
            NominationNotSuspended: it does not rest.
        """
        if not isinstance(self.last, NominationSuspended):
            raise NominationNotSuspended
