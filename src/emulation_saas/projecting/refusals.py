"""What reading documents refuses, beside what HTTP refuses anyhow."""

from emulation_saas.http.refusals import Refusal
from emulation_saas.kernel.rejections import Invalid, NotFound


class NoSuchDocument(NotFound):
    """There is nothing of this kind here, or there was nothing then."""

    code = "no-such-document"


class AsOfBeyondHead(Invalid):
    """The log has not reached this position."""

    code = "as-of-beyond-head"


class AsOfInFuture(Invalid):
    """What will be known then is not known yet."""

    code = "as-of-in-future"


class ProjectionBehind(Refusal):
    """The answer does not contain this position yet. Ask again."""

    code = "projection-behind"
    status = 503
    retry_after_s = 1


class NoSuchFigure(NotFound):
    """The document has no figure of this name."""

    code = "no-such-figure"


class EventOutOfSight(NotFound):
    """There is no event at this position that the caller may see."""

    code = "event-out-of-sight"


class DiffBackwards(Invalid):
    """A comparison goes from the earlier position to the later one."""

    code = "diff-backwards"


class DiffTooWide(Invalid):
    """More of the document's events lie in between than one comparison folds."""

    code = "diff-too-wide"


class PositionOutOfRange(Invalid):
    """The position lies beyond the one that the question is asked as of."""

    code = "position-out-of-range"


class NotOfThisDocument(Invalid):
    """The inserted event would change nothing in this document."""

    code = "not-of-this-document"


class NoSchemeHere(Invalid):
    """The document does not rest on a scheme."""

    code = "no-scheme-here"


class TooMuchToSuppose(Invalid):
    """The document rests on more events than one counterfactual folds."""

    code = "too-much-to-suppose"


class TooManyChanges(Invalid):
    """One counterfactual drops and inserts at most 100 events."""

    code = "too-many-changes"
