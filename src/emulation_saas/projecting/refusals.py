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
