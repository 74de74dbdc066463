"""A log as one file over HTTP, streamed: it is made while it is read."""

from collections import Counter
from collections.abc import AsyncGenerator
from functools import partial
from typing import Annotated, Final

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import Stream

from emulation_saas.audit.exports import Span, exported
from emulation_saas.audit.routes import sees
from emulation_saas.audit.signing import Signer
from emulation_saas.http.answers import ANSWERS
from emulation_saas.http.exchange import when_ended
from emulation_saas.http.refusals import TooManyRequests
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Visibility
from emulation_saas.kernel.ids import PersonId, ProvinceId
from emulation_saas.kernel.numbers import INTEGER_MAX
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import ProvinceLog
from emulation_saas.log.tree import SizeBeyondHead, SizesOutOfOrder

TAR: Final = "application/x-tar"
EXPORTS_AT_ONCE_MAX: Final = 2
"""Which one person may have under way in this process."""
_Who = tuple[ProvinceId, PersonId]
_under_way: Final[Counter[_Who]] = Counter()
From = Annotated[
    int,
    QueryParameter(
        name="from", description="The first position; the bundle it lies in is exported whole", ge=1, le=INTEGER_MAX
    ),
]
To = Annotated[
    int | None,
    QueryParameter(name="to", description="The last position: the size of the tree", ge=1, le=INTEGER_MAX),
]


@get(
    "/log/export",
    summary="The log as one file",
    media_type=TAR,
    opt={ANSWERS: {TAR: {"type": "string", "format": "binary"}}},
)
async def export_log(
    log: NamedDependency[ProvinceLog],
    acting: NamedDependency[Acting],
    authority: NamedDependency[Authority],
    signer: NamedDependency[Signer],
    first: From = 1,
    last: To = None,
) -> Stream:
    """Return a tar with the checkpoint, the key, the tree's tiles and the entries, checkable offline."""
    head = (await log.head()).position
    last = head if last is None else last
    if first > last:
        raise SizesOutOfOrder
    if last > head:
        raise SizeBeyondHead
    span = Span.of(first, last)
    hidden = await log.visibilities(span.first, span.last)
    is_whole = authority.oversees and Visibility.SEALED not in hidden
    _begin((log.province, acting.person))
    pieces = exported(signer, log, span, None if is_whole else lambda entry: sees(log, authority, entry))
    begun = await anext(pieces)  # what is refused is refused before the answer begins
    return Stream(_all(begun, pieces), media_type=TAR, headers={"log-position": str(last), "vary": "authorization"})


async def _all(begun: bytes, pieces: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    yield begun
    async for piece in pieces:
        yield piece


def _begin(who: _Who) -> None:
    """Count one more export of somebody until its request has ended, however it ends.

    Raises:
        TooManyRequests: as many are under way as one may have.
    """
    if _under_way[who] >= EXPORTS_AT_ONCE_MAX:
        raise TooManyRequests(f"{EXPORTS_AT_ONCE_MAX} exports are under way")
    _under_way[who] += 1
    when_ended(partial(_end, who))


def _end(who: _Who) -> None:
    _under_way[who] -= 1
    if not _under_way[who]:
        del _under_way[who]


ROUTES = (export_log,)
