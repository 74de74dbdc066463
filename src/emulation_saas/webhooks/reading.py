"""What is told of webhooks over HTTP: how they stand, what became of deliveries, the key that verifies signatures."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from emulation_saas.http.answers import JSON, Answer
from emulation_saas.http.paging import Page, cursor
from emulation_saas.http.refusals import BadCursor
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.ids import WebhookId
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.log import ProvinceLog
from emulation_saas.webhooks.ledger import Status
from emulation_saas.webhooks.refusals import NoSuchWebhook
from emulation_saas.webhooks.signing import key_pair_of
from emulation_saas.webhooks.standing import Standing, Webhooks

_EVERY_STATUS: Final[tuple[Status, ...]] = ("due", "delivered", "dead")
_NO_LIMIT: Final = 2**53 + 1


class WebhookList(msgspec.Struct, frozen=True, kw_only=True):
    """All webhooks that are there."""

    position: Annotated[int, Meta(ge=1, description="Position of the log when this was read")]
    webhooks: list[Standing]


class WebhookStanding(Standing, frozen=True, kw_only=True):
    """One webhook as it stands."""

    position: Annotated[int, Meta(ge=1, description="Position of the log when this was read")]


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What became of sending the event of a position."""

    event: Annotated[int, Meta(ge=1, description="Its position")]
    status: Status
    tries: int
    tried_at: datetime | UnsetType = UNSET
    next_try_at: datetime | UnsetType = UNSET
    outcome: Annotated[str, Meta(description="Of the last try; nothing of the receiver's answer but its status")]


class Deliveries(msgspec.Struct, frozen=True, kw_only=True):
    """Deliveries to one webhook, the newest event first."""

    position: Annotated[int, Meta(ge=1, description="Position of the log when this was read")]
    deliveries: list[Tried]
    next: Annotated[str, Meta(description="The cursor of the next page")] | UnsetType = UNSET


class WebhookKeys(msgspec.Struct, frozen=True, kw_only=True):
    """What verifies `v1a` signatures."""

    position: Annotated[int, Meta(ge=1, description="Position of the log when this was read")]
    keys: Annotated[
        list[str], Meta(description="Ed25519 public keys of the province, as Standard Webhooks spells them")
    ]


async def _at_its_position(response: Response[Any]) -> Response[Any]:
    """Finish an answer with the position at which it is true."""
    headers = [JSON, (b"log-position", b"%d" % response.content.position)]
    return Answer(msgspec.json.encode(response.content), status=200, headers=headers)


@get("/webhooks", summary="How all webhooks stand", after_request=_at_its_position)
async def read_webhooks(
    authority: NamedDependency[Authority], log: NamedDependency[ProvinceLog], webhooks: NamedDependency[Webhooks]
) -> WebhookList:
    """Return every webhook with its state, cursor and lag, for who oversees the province."""
    if not authority.oversees:
        raise NotEmpowered
    head = (await log.head()).position
    return WebhookList(position=head, webhooks=await webhooks.standings(log, head=head))


@get("/webhooks/{webhook:str}", summary="How a webhook stands", after_request=_at_its_position)
async def read_webhook(
    webhook: FromPath[str],
    authority: NamedDependency[Authority],
    log: NamedDependency[ProvinceLog],
    webhooks: NamedDependency[Webhooks],
) -> WebhookStanding:
    """Return its state and why, how far sending has come, how its receiver has been doing."""
    if not authority.oversees:
        raise NotEmpowered
    head = (await log.head()).position
    for standing in await webhooks.standings(log, head=head):
        if standing.webhook == webhook:
            return WebhookStanding(position=head, **msgspec.structs.asdict(standing))
    raise NoSuchWebhook


@get("/webhooks/{webhook:str}/deliveries", summary="What became of deliveries", after_request=_at_its_position)
async def read_deliveries(
    webhook: FromPath[str],
    authority: NamedDependency[Authority],
    log: NamedDependency[ProvinceLog],
    webhooks: NamedDependency[Webhooks],
    page: NamedDependency[Page],
    status: Annotated[Status | None, QueryParameter(description="Only these")] = None,
) -> Deliveries:
    """Return what became of events, the newest first; what was delivered long ago is forgotten."""
    if not authority.oversees:
        raise NotEmpowered
    await webhooks.about(log, WebhookId(webhook))
    listed = f"deliveries {webhook} {status}"
    _, before = page.start(listed)
    found = await webhooks.ledger(log).listed(
        WebhookId(webhook),
        _EVERY_STATUS if status is None else (status,),
        before=_NO_LIMIT if before is None else _position(before),
        limit=page.limit + 1,
    )
    head = (await log.head()).position
    more = len(found) > page.limit
    shown = found[: page.limit]
    return Deliveries(
        position=head,
        deliveries=[
            Tried(
                event=each.position,
                status=each.status,
                tries=each.tries,
                tried_at=each.tried_at or UNSET,
                next_try_at=each.next_try_at or UNSET,
                outcome=each.outcome,
            )
            for each in shown
        ],
        next=cursor(of=listed, position=head, after=str(shown[-1].position)) if more else UNSET,
    )


@get("/webhook-keys", summary="The key that verifies webhooks", after_request=_at_its_position)
async def read_webhook_keys(log: NamedDependency[ProvinceLog]) -> WebhookKeys:
    """Return the province's public key, for everybody with a role in the province."""
    head = (await log.head()).position
    return WebhookKeys(position=head, keys=[(await key_pair_of(log)).public])


def _position(after: str) -> int:
    """Return the position that a cursor names.

    Raises:
        BadCursor: no page ended there.
    """
    if not after.isascii() or not after.isdecimal() or int(after) > _NO_LIMIT:
        raise BadCursor
    return int(after)


READ_ROUTES: Final = (read_webhooks, read_webhook, read_deliveries, read_webhook_keys)
