"""The commands of provinces over HTTP. Opening one is the platform's: it is mounted outside any province.

Where the log stands is asked for here, too: it is no document that is folded from events, but the log's own word.
"""

from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta

from emulation_saas.http.answers import JSON, Answer
from emulation_saas.http.bodies import Body, Line
from emulation_saas.http.requests import StrictRequest
from emulation_saas.http.tokens import Verifier
from emulation_saas.kernel.ids import Handle, mint_person
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import Accepted, ProvinceLog, ProvinceLogs
from emulation_saas.provinces.events import ProvinceKind
from emulation_saas.provinces.use_cases import NameProvince, OpenProvince


class AdminBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first administrator: who the token names, and the name of the person."""

    issuer: Annotated[Line, Meta(description="One whose tokens this service accepts")]
    sub: Line
    name: Line


class NameBody(Body, frozen=True, kw_only=True):
    """A name with kind and code, from a day on."""

    name: Line
    kind: ProvinceKind
    code: Line
    effective_on: date
    legal_basis: Line


class ProvinceBody(NameBody, frozen=True, kw_only=True):
    """A province to open."""

    province: Handle
    admin: AdminBody


@post("/provinces", summary="Open a province")
async def open_province(
    data: JSONBody[ProvinceBody],
    request: StrictRequest,
    acting: NamedDependency[Acting],
    logs: NamedDependency[ProvinceLogs],
    verifier: NamedDependency[Verifier],
) -> Accepted:
    """Open a province's log under a permanent handle and appoint its first administrator. For platform operators."""
    opening = OpenProvince(
        province=data.province,
        name=data.name,
        kind=data.kind,
        code=data.code,
        effective_on=data.effective_on,
        legal_basis=data.legal_basis,
        admin=mint_person(),
        issuer=data.admin.issuer,
        sub=data.admin.sub,
        admin_name=data.admin.name,
        is_issuer_accepted=verifier.accepts(data.admin.issuer),
        time=data.entered(),
    )
    accepted = await logs.open(data.province, opening, by=acting)
    request.log = await logs.find(data.province)  # there is one now, to prove it from
    return accepted


@post("/names", summary="Name the province from a day on")
async def name_province(
    data: JSONBody[NameBody], acting: NamedDependency[Acting], log: NamedDependency[ProvinceLog]
) -> Accepted:
    """Give the province another name, kind or code from a day on; earlier days keep theirs."""
    naming = NameProvince(
        name=data.name,
        kind=data.kind,
        code=data.code,
        effective_on=data.effective_on,
        legal_basis=data.legal_basis,
        time=data.entered(),
    )
    return await log.execute(naming, by=acting)


class LogHead(msgspec.Struct, frozen=True, kw_only=True):
    """Where the province's log stands."""

    position: Annotated[int, Meta(ge=1, description="How many events it holds")]
    recorded_at: datetime
    root: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="Root of its Merkle tree (RFC 6962), in hex")]


async def _at_its_position(response: Response[Any]) -> Response[Any]:
    """Finish the answer with the position at which it is true."""
    head: LogHead = response.content
    position = b"%d" % head.position
    return Answer(msgspec.json.encode(head), status=200, headers=[JSON, (b"log-position", position)])


@get("/log", summary="Where the province's log stands", after_request=_at_its_position)
async def read_log_head(log: NamedDependency[ProvinceLog]) -> LogHead:
    """Return the position of the newest event, when it was recorded, and the root of the tree over all events."""
    head = await log.head()
    return LogHead(position=head.position, recorded_at=head.recorded_at, root=head.root.hex())


PLATFORM_ROUTES = (open_province,)
ROUTES = (name_province, read_log_head)
