"""What an event did: which figures of which documents it touched, with their values just before and just after it."""

from datetime import date
from typing import Any

import msgspec
from msgspec import UNSET

from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.clock import day_of, utc_now
from emulation_saas.log import ProvinceLog
from emulation_saas.projecting.explaining import Root, spelled_root
from emulation_saas.projecting.figures import Figures
from emulation_saas.projecting.finding import Finder
from emulation_saas.projecting.folding import fold
from emulation_saas.projecting.paths import places_of
from emulation_saas.projecting.projection import AnyProjection
from emulation_saas.projecting.refusals import EventOutOfSight
from emulation_saas.projecting.views import Position, Scope


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Where a figure is told, and under which name there."""

    path: str
    figure: str


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """A figure that the event touched. Without `before` it came into being, without `after` it ceased to be."""

    projection: str
    figure: str
    told: list[Told]
    before: Any = UNSET
    after: Any = UNSET
    rule: str


class EffectsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What an event did, as far as the caller may read it."""

    position: Position
    root: Root
    """At the event's position."""
    type: str
    effects: list[Effect]


async def effects_of(
    finder: Finder, log: ProvinceLog, may: Authority, position: int, valid_on: date | None
) -> EffectsDocument:
    """Return what the event at a position did.

    Raises:
        EventOutOfSight: there is none, or the caller may not see it.
    """
    recorded = next(iter(await log.at([position])), None)
    if recorded is None or not may.may_see(recorded.event, actor=recorded.actor):
        raise EventOutOfSight
    on = valid_on or day_of(utc_now())
    effects: list[Effect] = []
    for projection in finder.projections:
        if type(recorded.event) not in projection.read_types:
            continue
        for key in projection.keys_of(recorded):
            scope = Scope(first=key, last=key, tags=tuple(projection.tags_of(key)))
            documents = (await finder.fold(log, projection, scope, position - 1)).documents
            before: Figures = projection.figures(documents[key].state, on) if key in documents else {}
            fold(projection, documents, [recorded])
            effects += _effects(projection, key, before, projection.figures(documents[key].state, on), may)
    root = spelled_root(await log.root(position))
    return EffectsDocument(position=position, root=root, type=recorded.event.type, effects=effects)


def _effects(projection: AnyProjection, key: str, before: Figures, after: Figures, may: Authority) -> list[Effect]:
    touched = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    effects: list[Effect] = []
    for name in touched:
        told = [Told(path=path, figure=there) for path, there in places_of(projection, key, name, may).items()]
        if told:
            rule = (after.get(name) or before[name]).rule.name
            was, is_ = before.get(name), after.get(name)
            effects.append(
                Effect(
                    projection=projection.name,
                    figure=name,
                    told=told,
                    before=UNSET if was is None else was.value,
                    after=UNSET if is_ is None else is_.value,
                    rule=rule,
                )
            )
    return effects
