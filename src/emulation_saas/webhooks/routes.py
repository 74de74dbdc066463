"""The commands of webhooks over HTTP."""

import secrets
from typing import Annotated, Final

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from emulation_saas.http.answers import Confided
from emulation_saas.http.bodies import Body, Text
from emulation_saas.http.exchange import wait_longer
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.ids import Handle, Person, PersonId, WebhookId
from emulation_saas.kernel.rejections import NotEmpowered, Rejection
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import Accepted, ProvinceLog
from emulation_saas.streams.refusals import CursorBeyondHead
from emulation_saas.streams.sights import TAGS_MAX, TYPES_MAX, Tag, TypePattern
from emulation_saas.webhooks.destinations import TRY_TIMEOUT_S
from emulation_saas.webhooks.events import Mode, Signing
from emulation_saas.webhooks.reading import READ_ROUTES
from emulation_saas.webhooks.refusals import HandshakeFailed, PersonWithoutRole
from emulation_saas.webhooks.signing import secret_of
from emulation_saas.webhooks.standing import Webhooks
from emulation_saas.webhooks.use_cases import (
    ActivateWebhook,
    PauseWebhook,
    RedeliverEvents,
    RegisterWebhook,
    RemoveWebhook,
    ResumeWebhook,
    RotateSecret,
    SkipEvent,
)

URL_CHARS_MAX: Final = 2_000
POSITION_MAX: Final = 2**53
RATE_MAX: Final = 1_000
_ID_BYTES: Final = 12
Position = Annotated[int, Meta(ge=1, le=POSITION_MAX, description="Of an event")]
Reason = Annotated[Text, Meta(min_length=1)]


class WebhookBody(Body, frozen=True, kw_only=True):
    """Where events are to be sent, which, and in whose sight."""

    webhook: Handle
    url: Annotated[str, Meta(max_length=URL_CHARS_MAX, examples=["https://portal.example.vn/hooks/emulation"])]
    person: Person
    """Whose powers say, page by page, which events are sent."""
    types: Annotated[tuple[TypePattern, ...], Meta(max_length=TYPES_MAX, description="One of these; none: all")] = ()
    tags: Annotated[tuple[Tag, ...], Meta(max_length=TAGS_MAX, description="All of these tags")] = ()
    mode: Mode = "ordered"
    signing: Signing = "ed25519"
    after: (
        Annotated[int, Meta(ge=0, le=POSITION_MAX, description="The position after which sending begins; absent: now")]
        | UnsetType
    ) = UNSET
    max_rate: (
        Annotated[int, Meta(ge=1, le=RATE_MAX, description="Messages a second; absent: as many as the receiver takes")]
        | UnsetType
    ) = UNSET


class PauseBody(Body, frozen=True, kw_only=True):
    """Why nothing is to be sent for a while."""

    because: Text = ""


class ResumeBody(Body, frozen=True, kw_only=True):
    """Where to go on."""

    first: (
        Annotated[Position, Meta(description="The first position to be sent; absent: where it stands")] | UnsetType
    ) = msgspec.field(name="from", default=UNSET)


class SkipBody(Body, frozen=True, kw_only=True):
    """Which event is given up, and why."""

    position: Position
    because: Reason


class RedeliverBody(Body, frozen=True, kw_only=True):
    """Which events are to be sent once more."""

    first: Position = msgspec.field(name="from")
    last: Position = msgspec.field(name="to")


class NothingMoreBody(Body, frozen=True, kw_only=True):
    """Nothing needs to be said but when."""


class RemoveBody(Body, frozen=True, kw_only=True):
    """Why nothing is to be sent any more."""

    because: Reason


@post("/webhooks", summary="Register a webhook")
async def register_webhook(
    data: JSONBody[WebhookBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
    webhooks: NamedDependency[Webhooks],
) -> Confided:
    """Have events sent to a URL once its receiver has said that it wants them. A secret is told in this answer only."""
    head = (await log.head()).position
    after = head if data.after is UNSET else data.after
    registering = RegisterWebhook(
        webhook=WebhookId(data.webhook),
        url=data.url,
        acts_for=PersonId(data.person),
        types=data.types,
        with_tags=data.tags,
        mode=data.mode,
        signing=data.signing,
        secret=_minted(),
        after=after,
        from_now=data.after is UNSET,
        max_rate=data.max_rate,
        objection=await _objection(data, acting, log, webhooks, after=after, head=head),
        time=data.entered(),
    )
    return await _confided(await log.execute(registering, by=acting), log)


async def _objection(
    data: WebhookBody, acting: Acting, log: ProvinceLog, webhooks: Webhooks, *, after: int, head: int
) -> Rejection | None:
    """Return what speaks against a registration, looked up for administrators only."""
    if not (await log.authority(acting.person, is_newest=True)).is_admin:
        return None
    if after > head:
        return CursorBeyondHead(f"the log stands at {head}")
    if not (await log.authority(PersonId(data.person), is_newest=True)).known:
        return PersonWithoutRole()
    try:
        await webhooks.destinations.demand(data.url)
    except Rejection as rejection:
        return rejection
    return None


@post("/webhooks/{webhook:str}/handshake", summary="Ask a receiver again whether it wants the events")
async def shake_hands(
    data: JSONBody[NothingMoreBody],
    webhook: FromPath[str],
    acting: NamedDependency[Acting],
    authority: NamedDependency[Authority],
    log: NamedDependency[ProvinceLog],
    webhooks: NamedDependency[Webhooks],
) -> Accepted:
    """Ask the receiver now; the service asks by itself, too, on the schedule of deliveries."""
    if not authority.is_admin:
        raise NotEmpowered
    about = await webhooks.about(log, WebhookId(webhook))
    if not about.webhook.is_activated:
        wait_longer(TRY_TIMEOUT_S)  # it may be asked in two ways, one after the other
        with webhooks.asking(log, WebhookId(webhook)):
            async with webhooks.couriers(log) as courier:
                outcome = await courier.knock(about)
        if not outcome.is_delivered:
            raise HandshakeFailed(outcome.reason)
    activating = ActivateWebhook(webhook=WebhookId(webhook), time=data.entered())
    return await log.execute(activating, by=acting)


@post("/webhooks/{webhook:str}/pause", summary="Send nothing for a while")
async def pause_webhook(
    data: JSONBody[PauseBody],
    webhook: FromPath[str],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Send nothing until it is resumed. The cursor stays where it is: nothing is lost."""
    pausing = PauseWebhook(webhook=WebhookId(webhook), because=data.because, time=data.entered())
    return await log.execute(pausing, by=acting)


@post("/webhooks/{webhook:str}/resume", summary="Send again")
async def resume_webhook(
    data: JSONBody[ResumeBody],
    webhook: FromPath[str],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Send again, from where it stands or from a position, which may be any that the log has had."""
    await _require_reached(log, data.first)
    resuming = ResumeWebhook(webhook=WebhookId(webhook), first=data.first, time=data.entered())
    return await log.execute(resuming, by=acting)


@post("/webhooks/{webhook:str}/skip", summary="Give up one event")
async def skip_event(
    data: JSONBody[SkipBody],
    webhook: FromPath[str],
    acting: NamedDependency[Acting],
    authority: NamedDependency[Authority],
    log: NamedDependency[ProvinceLog],
    webhooks: NamedDependency[Webhooks],
) -> Accepted:
    """Never send one event to this receiver, and say why. A stalled webhook is resumed after it."""
    await _require_reached(log, data.position)
    skipping = SkipEvent(
        webhook=WebhookId(webhook),
        position=data.position,
        because=data.because,
        is_over=authority.is_admin and await webhooks.is_over(log, WebhookId(webhook), data.position),
        time=data.entered(),
    )
    return await log.execute(skipping, by=acting)


@post("/webhooks/{webhook:str}/redeliver", summary="Send events once more")
async def redeliver_events(
    data: JSONBody[RedeliverBody],
    webhook: FromPath[str],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Send once more what lies behind the cursor in a span, each event by itself; dead ones begin anew."""
    await _require_reached(log, data.last)
    redelivering = RedeliverEvents(
        webhook=WebhookId(webhook), redelivery=_minted(), first=data.first, last=data.last, time=data.entered()
    )
    return await log.execute(redelivering, by=acting)


@post("/webhooks/{webhook:str}/rotate-secret", summary="Make a new secret")
async def rotate_secret(
    data: JSONBody[NothingMoreBody],
    webhook: FromPath[str],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Confided:
    """Sign by a new secret, told in this answer only; for 24 hours the one before signs beside it."""
    rotating = RotateSecret(webhook=WebhookId(webhook), secret=_minted(), time=data.entered())
    return await _confided(await log.execute(rotating, by=acting), log)


@post("/webhooks/{webhook:str}/remove", summary="Remove a webhook")
async def remove_webhook(
    data: JSONBody[RemoveBody],
    webhook: FromPath[str],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Send nothing any more; its handle stays taken."""
    removing = RemoveWebhook(webhook=WebhookId(webhook), because=data.because, time=data.entered())
    return await log.execute(removing, by=acting)


async def _require_reached(log: ProvinceLog, position: int | UnsetType) -> None:
    """Return if the log has come to a position, or is about to."""
    head = (await log.head()).position
    if position is not UNSET and position > head + 1:
        raise CursorBeyondHead(f"the log stands at {head}")


async def _confided(accepted: Accepted, log: ProvinceLog) -> Confided:
    """Return an answer with the secret that its event names: for the command that made it and its repetition by key."""
    for body in accepted.events:
        named = msgspec.json.decode(body, type=_Named).data.secret
        if named is not UNSET:
            return Confided(accepted.position, accepted.events, str(await secret_of(log, named)))
    return Confided(accepted.position, accepted.events)


class _Secret(msgspec.Struct):
    secret: str | UnsetType = UNSET


class _Named(msgspec.Struct):
    data: _Secret


def _minted() -> str:
    return secrets.token_urlsafe(_ID_BYTES)


COMMANDS: Final = (
    register_webhook,
    shake_hands,
    pause_webhook,
    resume_webhook,
    skip_event,
    redeliver_events,
    rotate_secret,
    remove_webhook,
)
ROUTES: Final = (*COMMANDS, *READ_ROUTES)
