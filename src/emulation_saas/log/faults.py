"""What can go wrong with the database under a command. None of these is a decision: the caller may ask again."""


class OutcomeUnknownError(Exception):
    """The command may or may not have been recorded; asking again with the same idempotency key settles it."""


class LogGapError(Exception):
    """A reader saw a position out of order: a bug, and said so rather than passed over."""
