"""What the routes of the log refuse, beside what HTTP and the tree refuse anyhow."""

from emulation_saas.http.refusals import Refusal
from emulation_saas.kernel.rejections import NotFound


class LogForked(Refusal):
    """The log contradicts what was signed of it. Nothing is signed until its operator has restored what is missing."""

    code = "log-forked"
    status = 503
    retry_after_s = 60


class NotWitnessed(Refusal):
    """The checkpoint could not be put on record outside the database, so it is not given. Ask again."""

    code = "not-witnessed"
    status = 503
    retry_after_s = 10


class NoSuchTile(NotFound):
    """No tile is called so."""

    code = "no-such-tile"


class NoSuchEvent(NotFound):
    """The log holds no event at this position."""

    code = "no-such-event"
