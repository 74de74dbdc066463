"""What the streams refuse, beside what HTTP refuses anyhow."""

from emulation_saas.kernel.rejections import Invalid, NotFound


class CursorBeyondHead(Invalid):
    """The log has not come so far: this position was read in another history of it, or before a restore."""

    code = "cursor-beyond-head"


class NoSuchSchema(NotFound):
    """There is no schema of this name: events of every type are listed at /schemas."""

    code = "no-such-schema"
