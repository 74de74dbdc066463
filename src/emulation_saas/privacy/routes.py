"""Personal data over HTTP: erasing and its certificate, holds, the access log and its digests."""

from datetime import date, datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from emulation_saas.http.answers import JSON, Answer
from emulation_saas.http.bodies import Body, Line, Text
from emulation_saas.http.exchange import note_read
from emulation_saas.http.paging import Page, cursor
from emulation_saas.http.reads import ACCESS_LOG
from emulation_saas.http.refusals import BadCursor
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.clock import spell_recorded
from emulation_saas.kernel.ids import PersonId
from emulation_saas.kernel.rejections import NotEmpowered, NotFound
from emulation_saas.kernel.use_cases import Acting, Selector
from emulation_saas.log import Accepted, ProvinceLog
from emulation_saas.privacy.access_log import AccessLog, Digest, Place
from emulation_saas.privacy.access_log import Line as AccessLine
from emulation_saas.privacy.events import AccessLogDigested, PersonErased
from emulation_saas.privacy.use_cases import ErasePerson, LiftHold, PlaceHold

Day = Annotated[date, QueryParameter(description="The calendar day, in Vietnam")]
_SEPARATOR: Final = "/"


class NotErased(NotFound):
    """Nothing of this person was erased."""

    code = "not-erased"


class ErasureBody(Body, frozen=True, kw_only=True):
    """Why a person is erased."""

    legal_basis: Line
    document_no: Line


class HoldBody(Body, frozen=True, kw_only=True):
    """Why a person's data must be kept."""

    legal_basis: Line
    because: Text


class LiftBody(Body, frozen=True, kw_only=True):
    """Why a person's data need not be kept any longer."""

    because: Text


@post("/persons/{person:str}/erase", summary="Erase a person's names")
async def erase_person(
    data: JSONBody[ErasureBody],
    person: FromPath[str],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Destroy the keys of a person's sealed fields, for ever; refused under a legal hold or while a role is held."""
    erasure = ErasePerson(
        person=PersonId(person),
        kids=await _kids_of(PersonId(person), acting, log),
        legal_basis=data.legal_basis,
        document_no=data.document_no,
        time=data.entered(),
    )
    accepted = await log.execute(erasure, by=acting)
    await log.finish_erasures()
    return accepted


@post("/persons/{person:str}/hold", summary="Put a person's data on legal hold")
async def place_hold(
    data: JSONBody[HoldBody], person: FromPath[str], acting: NamedDependency[Acting], log: NamedDependency[ProvinceLog]
) -> Accepted:
    """Keep a person's data from being erased until the hold is lifted."""
    hold = PlaceHold(
        person=PersonId(person),
        kids=await _kids_of(PersonId(person), acting, log),
        legal_basis=data.legal_basis,
        because=data.because,
        time=data.entered(),
    )
    return await log.execute(hold, by=acting)


@post("/persons/{person:str}/hold/lift", summary="Lift the legal hold on a person's data")
async def lift_hold(
    data: JSONBody[LiftBody], person: FromPath[str], acting: NamedDependency[Acting], log: NamedDependency[ProvinceLog]
) -> Accepted:
    """Lift the legal hold on a person's data."""
    lifting = LiftHold(
        person=PersonId(person),
        kids=await _kids_of(PersonId(person), acting, log),
        because=data.because,
        time=data.entered(),
    )
    return await log.execute(lifting, by=acting)


async def _kids_of(person: PersonId, acting: Acting, log: ProvinceLog) -> tuple[str, ...] | None:
    """Return the ids of a person's keys, looked up for administrators only."""
    may = await log.authority(acting.person, is_newest=True)
    return tuple(await log.kids_of(person)) if may.is_admin else None


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """One erasure, as it stands in the log."""

    position: Annotated[int, Meta(ge=1, description="Of the event that recorded it")]
    recorded_at: datetime
    erased_by: str
    legal_basis: str
    document_no: str
    kids: Annotated[list[str], Meta(description="Ids of the keys that were destroyed")]
    proof: Annotated[str, Meta(description="Where the proof is that the event stands in the log")]


class ErasureCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """What was erased of a person, and that it is gone."""

    position: Annotated[int, Meta(ge=1, description="Position of the log at which this is true")]
    person: str
    erasures: list[Erasure]
    keys_left: Annotated[list[str], Meta(description="Keys named above that still exist: none, but for a moment")]


class AccessLogPage(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of the access log, in order."""

    position: Annotated[int, Meta(ge=1, description="Position of the log when this was read")]
    day: date
    entries: list[AccessLine]
    next: Annotated[str, Meta(description="The cursor of the next page")] | UnsetType = UNSET


class RecordedDigest(Digest, frozen=True, kw_only=True):
    """The digest as it stands in the log."""

    position: Annotated[int, Meta(ge=1)]


class AccessLogDigest(msgspec.Struct, frozen=True, kw_only=True):
    """What a day's lines come to now, and what they came to when the day was digested."""

    position: Annotated[int, Meta(ge=1, description="Position of the log when this was read")]
    day: date
    stored: Digest
    recorded: RecordedDigest | UnsetType = UNSET
    """Absent until the day has been digested."""
    is_unchanged: bool | UnsetType = UNSET
    """Whether the two agree."""


async def _at_its_position(response: Response[Any]) -> Response[Any]:
    """Finish an answer with the position at which it is true."""
    headers = [JSON, (b"log-position", b"%d" % response.content.position)]
    return Answer(msgspec.json.encode(response.content), status=200, headers=headers)


@get("/persons/{person:str}/erasure", summary="Certify an erasure", after_request=_at_its_position)
async def read_erasure(
    person: FromPath[str], authority: NamedDependency[Authority], log: NamedDependency[ProvinceLog]
) -> ErasureCertificate:
    """Return who erased a person and when, by which document, and whether any of the keys exists now."""
    if not authority.oversees:
        raise NotEmpowered
    head = await log.head()
    found = await log.recorded([Selector(types=[PersonErased], tags=[f"person:{person}"])], through=head.position)
    if not found:
        raise NotErased
    left = await log.kids_of(PersonId(person))
    return ErasureCertificate(
        position=head.position,
        person=person,
        erasures=[
            Erasure(
                position=each.position,
                recorded_at=each.recorded_at,
                erased_by=each.actor,
                legal_basis=each.event.legal_basis,
                document_no=each.event.document_no,
                kids=each.event.kids,
                proof=f"/v1/provinces/{log.handle}/events/{each.position}.tlog-proof",
            )
            for each in found
        ],
        keys_left=[kid for each in found for kid in each.event.kids if kid in left],
    )


@get("/access-log", summary="Who read personal data, and what auditors read", after_request=_at_its_position)
async def read_access_log(
    day: Day,
    authority: NamedDependency[Authority],
    log: NamedDependency[ProvinceLog],
    access_log: NamedDependency[AccessLog],
    page: NamedDependency[Page],
) -> AccessLogPage:
    """Return a day's lines, in order. Reading them is on record, too."""
    _require_access(authority)
    listed = f"access-log {day}"
    _, after = page.start(listed)
    lines = await access_log.lines(log.province, day, after=_place(after), limit=page.limit + 1)
    head = await log.head()
    following: str | UnsetType = UNSET
    if len(lines) > page.limit:
        last = lines[page.limit - 1]
        following = cursor(of=listed, position=head.position, after=f"{last.at}{_SEPARATOR}{last.entry}")
    return AccessLogPage(position=head.position, day=day, entries=lines[: page.limit], next=following)


@get("/access-log/digest", summary="Whether a day of the access log is as it was", after_request=_at_its_position)
async def read_access_log_digest(
    day: Day,
    authority: NamedDependency[Authority],
    log: NamedDependency[ProvinceLog],
    access_log: NamedDependency[AccessLog],
) -> AccessLogDigest:
    """Compare what a day's lines come to now with what was recorded when the day was over."""
    _require_access(authority)
    head = await log.head()
    tags = [f"day:{day}"]
    found = await log.recorded([Selector(types=[AccessLogDigested], tags=tags)], through=head.position)
    stored = await access_log.digest(log.province, day)
    if not found:
        return AccessLogDigest(position=head.position, day=day, stored=stored)
    (recorded,) = found
    event: AccessLogDigested = recorded.event
    return AccessLogDigest(
        position=head.position,
        day=day,
        stored=stored,
        recorded=RecordedDigest(position=recorded.position, entries=event.entries, sha256=event.sha256),
        is_unchanged=(stored.entries, stored.sha256) == (event.entries, event.sha256),
    )


def _require_access(may: Authority) -> None:
    """Let auditors and administrators read who read, and put that on record."""
    if not (may.is_auditor or may.is_admin):
        raise NotEmpowered
    note_read(ACCESS_LOG)


def _place(after: str | None) -> Place | None:
    """Return the place that a cursor names.

    Raises:
        BadCursor: no page ended there.
    """
    if after is None:
        return None
    at, _, entry = after.partition(_SEPARATOR)
    try:
        place = datetime.fromisoformat(at), UUID(entry)
        is_ours = after == f"{spell_recorded(place[0])}{_SEPARATOR}{place[1]}"
    except (ValueError, OverflowError) as error:
        raise BadCursor from error
    if not is_ours:
        raise BadCursor
    return place


ROUTES = (erase_person, place_hold, lift_hold, read_erasure, read_access_log, read_access_log_digest)
