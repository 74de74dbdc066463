"""Reads that are put on record before they are answered: of personal data by anybody, and all reads by auditors."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

import msgspec

from emulation_saas.http.exchange import Exchange
from emulation_saas.http.refusals import Refusal

BY_AUDITOR: Final = "auditor"
NAMES: Final = "names"
ACCESS_LOG: Final = "access-log"
_READ: Final = 200
_AS_OF: Final = re.compile(r"[0-9TtZz:.+-]{1,40}")
_ASKED: Final = re.compile(rf"/[a-z0-9/-]{{0,300}}|{_AS_OF.pattern}")
"""A path below the province, or when: no line holds any other text of a caller."""


class ReadNotRecorded(Refusal):
    """The answer could not be put on record, so it is not given. Ask again."""

    code = "read-not-recorded"
    status = 503
    retry_after_s = 1


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """Who read what, where and why that is on record."""

    province: str
    """The province's handle."""
    person: str
    request: str
    """Method and path, without the query; behind a `?` what else says what was read (`Exchange.asked`)."""
    as_of: str | None
    position: int | None
    """At which the answer is true, if it says so."""
    reason: str
    """`auditor`, `names`, `access-log`: those that apply, sorted, with a space between."""


Recorder = Callable[[Read], Awaitable[None]]
"""Returns once the read is durably on record, or raises."""


def read_in(exchange: Exchange, scope: Any, message: Any) -> Read | None:  # noqa: ANN401 - the server's ASGI types
    """Return what has to be recorded before an answer begins; None for nearly all answers.

    Args:
        exchange: the request, as far as it has come.
        scope: its ASGI scope.
        message: the beginning of the answer.
    """
    reasons = exchange.read_for
    # A command answers 201; whatever else is asked by an auditor reads, whether it was answered or refused.
    if exchange.is_by_auditor and (scope["method"] == "GET" or message["status"] == _READ):
        reasons = reasons | {BY_AUDITOR}
    if not reasons or exchange.province is None or exchange.person is None:
        return None
    as_of = parse_qs(scope["query_string"].decode("latin-1")).get("as_of", [""])[0]
    asked = urlencode({name: value for name, value in exchange.asked.items() if _ASKED.fullmatch(value)}, safe="/:")
    position = dict(message["headers"]).get(b"log-position")
    return Read(
        province=exchange.province,
        person=exchange.person,
        request=f"{scope['method']} {scope['path']}" + (f"?{asked}" if asked else ""),
        as_of=as_of if _AS_OF.fullmatch(as_of) else None,
        position=None if position is None else int(position),
        reason=" ".join(sorted(reasons)),
    )
