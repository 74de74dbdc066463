"""What would be if: the document at a path, folded from a history in which events are missing, added or changed.

Nothing is stored, signed or remembered, and nothing of it is a fact. Inserted events bear positions beyond the one that
the question is asked as of, in the order in which they are given, and are folded where they are put.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
from msgspec import UNSET

from emulation_saas.http.bodies import moment
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.clock import day_of, utc_now
from emulation_saas.kernel.events import AnyRecorded, Event, Recorded
from emulation_saas.log import ProvinceLog
from emulation_saas.projecting.comparing import Side, asked_of, shown
from emulation_saas.projecting.explaining import spelled_root
from emulation_saas.projecting.finding import Finder, acts_of, events_of, names_in, scope_of, when_of, within
from emulation_saas.projecting.folding import Documents, fold, reason_of
from emulation_saas.projecting.patches import patch_between
from emulation_saas.projecting.paths import Named
from emulation_saas.projecting.refusals import (
    EventOutOfSight,
    NoSchemeHere,
    NoSuchDocument,
    NotOfThisDocument,
    PositionOutOfRange,
    TooManyChanges,
    TooMuchToSuppose,
)
from emulation_saas.projecting.suppositions import (
    CHANGES_MAX,
    SUPPOSED_EVENTS_MAX,
    Counterfactual,
    SuppositionBody,
    Violation,
)
from emulation_saas.projecting.views import Scope

SLICE: Final = 500
"""Events folded before others in this process get their turn."""


@dataclass(frozen=True, slots=True)
class Supposer:
    """Answers what would be."""

    finder: Finder
    require_sound: Callable[[Event], None]
    """Raises the rejection of an event that can be true in no state, such as one whose scheme does not add up."""

    def event_of(self, log: ProvinceLog, name: str, data: Mapping[str, Any]) -> Event:
        """Return the event that a type's name and data spell.

        Raises:
            Rejection: it could be neither written nor true.
        """
        event = log.event_of(name, data)
        self.require_sound(event)
        return event


async def suppose(supposer: Supposer, log: ProvinceLog, may: Authority, body: SuppositionBody) -> Counterfactual:
    """Return what would be.

    Raises:
        NoSuchDocument, NotEmpowered: see `Finder.named`; or it would be there neither way.
        AsOfBeyondHead, AsOfInFuture, NoSuchMoment, PositionOutOfRange: there is no such place in the log.
        EventOutOfSight: an event to drop is hidden from the caller.
        NoSuchEventType, MalformedEvent, BadText, BadNumber, EventTooLarge: an event to insert could not be written.
        NotOfThisDocument, NoSchemeHere: a change would not concern the document.
        Rejection: an event could be true in no state; see `Supposer.require_sound`.
        TooManyChanges, TooMuchToSuppose: it is too much to be answered at once.
    """
    named = supposer.finder.named(body.path, may)
    if len(body.without) + len(body.insert) > CHANGES_MAX:
        raise TooManyChanges
    now = utc_now()
    when = await when_of(log, None if body.as_of is UNSET else str(body.as_of), now)
    position = (await log.head()).position if when.position is None else when.position
    on = day_of(now) if body.valid_on is UNSET else body.valid_on
    scope = scope_of(named.projection, named.view, asked_of(named, may, on, through=position))
    limit = SUPPOSED_EVENTS_MAX + 1
    history = await events_of(log, named.projection, scope, through=position, limit=limit)
    if len(history) > SUPPOSED_EVENTS_MAX:
        raise TooMuchToSuppose(f"at most {SUPPOSED_EVENTS_MAX} events")
    dropped = await _dropped(log, may, history, body, position)
    kept = _with_scheme(supposer, log, [each for each in history if each.position not in dropped], body)
    supposed = _merged(kept, await _inserted(supposer, log, may, (named, scope), body, position))
    side = Side(position=position, root=spelled_root(await log.root(position)))

    documents, broken_before = await _folded(named, scope, history)
    asked = asked_of(named, may, on, through=position, names=names_in(named.view, history))
    # Of what was really done only: a supposition may claim that anybody did anything, and would be told what he may do.
    asked = replace(asked, powers=await log.authorities_at(acts_of(named.view, documents, named.where)))
    actual = shown(named, documents, asked)
    documents, broken = await _folded(named, scope, supposed)
    through = position + len(body.insert)
    asked = replace(asked, through=through, names=names_in(named.view, supposed))
    violations = [each for each in broken if each not in broken_before]
    violations += [
        Violation(position=each.position, reason=f"it was led to by {each.causation}, which is missing")
        for each in kept
        if each.causation in dropped
    ]
    try:
        document = shown(named, documents, asked)
    except Exception as error:  # noqa: BLE001 - an inserted event may contradict the others in any way
        document = None
        violations.append(Violation(reason=reason_of(error)))
    if actual is None and document is None and not violations:
        raise NoSuchDocument
    return Counterfactual(
        path=body.path,
        as_of=side,
        document=document,
        actual=actual,
        patch=patch_between(actual, document),
        dropped=sorted(dropped),
        violations=violations,
    )


async def _dropped(
    log: ProvinceLog, may: Authority, history: Sequence[AnyRecorded], body: SuppositionBody, position: int
) -> set[int]:
    """Return the positions of the events that are missing: those named and, in a cascade, what they led to."""
    named = set(body.without)
    if named and max(named) > position:
        raise PositionOutOfRange(str(max(named)))
    if any(not may.may_see(each.event, actor=each.actor) for each in await log.at(named)):
        raise EventOutOfSight
    if body.mode == "strict":
        return named
    causes = {each.position: each.causation for each in history}
    unknown = {cause for cause in causes.values() if cause is not None} - causes.keys()
    while unknown:
        found = {each.position: each.causation for each in await log.at(unknown)}
        causes |= found
        unknown = {cause for cause in found.values() if cause is not None} - causes.keys()
    missing = set(named)
    for each in sorted(causes):  # what led to an event stands before it
        if causes[each] in missing:
            missing.add(each)
    return missing & (named | {each.position for each in history})


def _with_scheme(
    supposer: Supposer, log: ProvinceLog, history: list[AnyRecorded], body: SuppositionBody
) -> list[AnyRecorded]:
    """Return the history with another scheme in every event that holds one."""
    if body.scheme is UNSET:
        return history
    changed: list[AnyRecorded] = []
    is_there = False
    for each in history:
        if hasattr(each.event, "scheme"):
            is_there = True
            data = {**msgspec.to_builtins(each.event), "scheme": body.scheme}
            changed.append(msgspec.structs.replace(each, event=supposer.event_of(log, each.event.type, data)))
        else:
            changed.append(each)
    if not is_there:
        raise NoSchemeHere
    return changed


async def _inserted(
    supposer: Supposer,
    log: ProvinceLog,
    may: Authority,
    question: tuple[Named, Scope],
    body: SuppositionBody,
    position: int,
) -> list[tuple[int, AnyRecorded]]:
    """Return the inserted events as they would be recorded, each with the position after which it is put."""
    named, scope = question
    furthest = max((each.after for each in body.insert), default=0)
    if furthest > position:
        raise PositionOutOfRange(str(furthest))
    before = {each.position: each.recorded_at for each in await log.at({each.after or 1 for each in body.insert})}
    inserted: list[tuple[int, AnyRecorded]] = []
    for number, each in enumerate(body.insert, start=position + 1):
        event = supposer.event_of(log, each.type, each.data)
        recorded_at = before[each.after or 1]
        recorded: AnyRecorded = Recorded(
            event=event,
            id=str(number),
            recorded_at=recorded_at,
            time=recorded_at.replace(microsecond=0) if each.time is UNSET else moment(each.time),
            actor=may.person,
            command_id="",
        )
        if type(event) not in named.projection.read_types:
            raise NotOfThisDocument(each.type)
        if not any(scope.first <= key <= scope.last for key in named.projection.keys_of(recorded)):
            raise NotOfThisDocument(each.type)
        inserted.append((each.after, recorded))
    return inserted


def _merged(history: list[AnyRecorded], inserted: list[tuple[int, AnyRecorded]]) -> list[AnyRecorded]:
    """Return the history with the inserted events in their places; those of one place in the order given."""
    placed = [(each.position, 0, each) for each in history]
    placed += [(after, number, each) for number, (after, each) in enumerate(inserted, start=1)]
    return [each for _, _, each in sorted(placed, key=lambda entry: entry[:2])]


async def _folded(named: Named, scope: Scope, history: Sequence[AnyRecorded]) -> tuple[Documents, list[Violation]]:
    """Fold a history into the documents of a scope, and tell what in it does not hold.

    A document into which an event cannot be folded stands still from there on, as it would in truth.
    """
    projection = named.projection
    documents: Documents = {}
    violations: list[Violation] = []
    stopped: dict[str, int] = {}
    for number, each in enumerate(history):
        if number % SLICE == 0:
            await asyncio.sleep(0)
        keys = [key for key in projection.keys_of(each) if scope.first <= key <= scope.last and key not in stopped]
        for key in keys:
            state = documents[key].state if key in documents else projection.initial()
            said = projection.contradiction(state, each)
            if said is not None:
                violations.append(Violation(position=each.position, reason=said))
        fold(projection, documents, [each])
        for key in keys:
            if documents[key].is_quarantined:
                stopped[key] = each.position
                violations.append(Violation(position=each.position, reason=documents[key].reason))
                documents[key].stopped_at = 0  # from here on, whatever number an inserted event bears
    for key, at in stopped.items():
        documents[key].stopped_at = at
    return within(documents, scope), violations
