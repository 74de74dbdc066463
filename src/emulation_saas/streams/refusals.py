"""What the streams refuse, beside what HTTP refuses anyhow."""

from emulation_saas.kernel.rejections import Invalid, NotFound


class CursorBeyondHead(Invalid):
    """The log has not come so far: this position was read in another history of it, or before a restore."""

    code = "cursor-beyond-head"


class NoSuchSchema(NotFound):
    """There is no schema of this name: events of every type are listed at /schemas."""

    code = "no-such-schema"


class InvalidCursor(Invalid):
    """A Last-Event-ID is a position, as the feed gave it."""

    code = "invalid-cursor"


class InvalidFilter(Invalid):
    """A filter is a list of types, or of tags, with commas between: each well spelled, no more than are allowed."""

    code = "invalid-filter"


class TwoNamesForOne(Invalid):
    """The same thing is asked for under two names."""

    code = "two-names-for-one"
