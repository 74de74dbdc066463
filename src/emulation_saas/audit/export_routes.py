"""A log as one file over HTTP, streamed: it is made while it is read."""

from collections.abc import AsyncGenerator
from typing import Annotated, Final

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import Stream

from emulation_saas.audit.exports import Span, exported
from emulation_saas.audit.routes import POSITION_MAX, sees
from emulation_saas.audit.signing import Signer
from emulation_saas.http.answers import ANSWERS
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import Visibility
from emulation_saas.log import ProvinceLog
from emulation_saas.log.tree import SizeBeyondHead, SizesOutOfOrder

TAR: Final = "application/x-tar"
From = Annotated[
    int,
    QueryParameter(
        name="from", description="The first position; the bundle it lies in is exported whole", ge=1, le=POSITION_MAX
    ),
]
To = Annotated[
    int | None,
    QueryParameter(name="to", description="The last position: the size of the tree", ge=1, le=POSITION_MAX),
]


@get(
    "/log/export",
    summary="The log as one file",
    media_type=TAR,
    opt={ANSWERS: {TAR: {"type": "string", "format": "binary"}}},
)
async def export_log(
    log: NamedDependency[ProvinceLog],
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
    pieces = exported(signer, log, span, None if is_whole else lambda entry: sees(log, authority, entry))
    begun = await anext(pieces)  # what is refused is refused before the answer begins
    return Stream(_all(begun, pieces), media_type=TAR, headers={"log-position": str(last), "vary": "authorization"})


async def _all(begun: bytes, pieces: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    yield begun
    async for piece in pieces:
        yield piece


ROUTES = (export_log,)
