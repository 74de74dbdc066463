"""What can go wrong with the database under a command. None of these is a decision: the caller may ask again."""

from datetime import timedelta
from typing import Final

CLOCKS_APART_MAX: Final = timedelta(seconds=2)
"""The append refuses a clock that is further from the database's (migration append_v1)."""


class OutcomeUnknownError(Exception):
    """The command may or may not have been recorded; asking again with the same idempotency key settles it."""


class ClockWrongError(OutcomeUnknownError):
    """This machine's clock is more than 2 s from the database's; nothing was recorded by it."""

    def __init__(self) -> None:
        """Say what is wrong."""
        super().__init__("this machine's clock is more than 2 s from the database's")


class LogGapError(Exception):
    """A reader saw a position out of order: a bug, and said so rather than passed over."""
