"""What integrators may rely on, over HTTP: copies kept by the feed, bytes that the tree is of, events anybody reads.

A copy is a projection's documents, folded from the feed as an integrator has it: without any key, so without names.
The law (zulip's): a snapshot at p, and the events after p folded into it, are what the service answers now.
"""

from base64 import b64encode
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from http import HTTPStatus
from random import Random
from typing import Any, Final, Literal

import httpx
import msgspec
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from emulation_saas.client import Event, Feed
from emulation_saas.http.local_issuer import ISSUER
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.events import AnyRecorded
from emulation_saas.kernel.ids import OPERATOR, BallotId, DisputeId
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import Codec, Registry
from emulation_saas.log.frontier import leaf_hash
from emulation_saas.log.sealing import Opener
from emulation_saas.projecting.digesting import digest_of
from emulation_saas.projecting.finding import acts_of, names_of, rendered, scope_of
from emulation_saas.projecting.folding import Documents, fold
from emulation_saas.projecting.projection import AnyProjection
from emulation_saas.projecting.views import Asked, View, Where, spelled
from emulation_saas.wiring import EVENT_TYPES
from projections import PROJECTIONS
from tests.audit.reference_tree import root
from tests.builders import FULL_SAMPLES, SAMPLES
from tests.projections.histories import AGENCIES, BLOCS, YEARS
from tests.projections.live import EVENTS_MAX, Tell, told
from tests.streams.stage import PROVINCE, Stage, staged

CODEC: Final = Codec(Registry(EVENT_TYPES))
TODAY: Final = date(2024, 6, 1)
WHERES: Final = [
    Where(bloc=bloc, year=year, agency=agency, ballot=BallotId("b-0"), dispute=DisputeId("d-0"))
    for bloc in BLOCS
    for year in YEARS
    for agency in AGENCIES[:2]
]
_encode: Final = msgspec.json.Encoder(decimal_format="string").encode


@dataclass(frozen=True)
class Service:
    """A stage, asked as the province's administrator."""

    stage: Stage
    http: httpx.AsyncClient

    async def tell(self, seed: int) -> int:
        """Record one of the random histories; return the log's last position."""
        events = told(seed, steps=150)
        for first in range(0, len(events), EVENTS_MAX):
            await self.stage.log.execute(Tell(tuple(events[first : first + EVENTS_MAX])), by=Acting(OPERATOR))
        return (await self.stage.log.head()).position

    async def events(self, *, after: int, through: int, by: Literal["stream", "poll"] = "poll") -> list[Event]:
        """Return what the feed tells of a span, every position of it."""
        feed = Feed(f"http://127.0.0.1:{self.stage.port}", PROVINCE, token=self.stage.token, by=by, http=self.http)
        async with feed:
            return [event async for event in feed.events(after=after, through=through, gapless=True)]

    async def administrator(self) -> Authority:
        """Return what the administrator may do."""
        log = self.stage.log
        person = await log.person_of(ISSUER, f"{PROVINCE}/admin")
        assert person is not None
        return await log.authority(person)

    async def get(self, path: str, **query: str | int) -> httpx.Response:
        """Ask a question of the province."""
        headers = {"authorization": f"Bearer {await self.stage.token()}"}
        url = f"http://127.0.0.1:{self.stage.port}/v1/provinces/{PROVINCE}{path}"
        return await self.http.get(url, params=query, headers=headers, timeout=30)


@asynccontextmanager
async def serving(url: str) -> AsyncGenerator[Service]:
    async with staged(url) as stage, httpx.AsyncClient(trust_env=False) as http:
        yield Service(stage, http)


def recorded_in(service: Service, events: Sequence[Event]) -> list[AnyRecorded]:
    """Return the events as projections fold them: without keys, as an integrator has them."""
    opener = Opener(service.stage.log.province, {}, {})
    return [CODEC.decode(event.type, event.raw, opener) for event in events]


def folded(copies: dict[str, Documents], recorded: Sequence[AnyRecorded]) -> None:
    """Fold events into the copies of all projections."""
    for projection in PROJECTIONS:
        fold(projection, copies.setdefault(projection.name, {}), recorded)


async def differing(service: Service, copies: dict[str, Documents], at: int) -> list[str]:
    """Return the paths at which the service answers otherwise than the copies, and how many answers there were."""
    wrong: list[str] = []
    answers = 0
    for projection in PROJECTIONS:
        for view in projection.views:
            for path, where in {spelled(view.path, where): where for where in WHERES}.items():
                copied = await copied_answer(service, copies[projection.name], projection, view, where, at=at)
                query = {"valid_on": str(TODAY)} if view.is_dated else {}
                answer = await service.get(path, min_position=at, **query)
                told_now = answer.json() if answer.status_code == HTTPStatus.OK else None
                if told_now is None:
                    assert answer.status_code == HTTPStatus.NOT_FOUND, answer.text
                else:
                    answers += 1
                if copied != told_now:
                    wrong.append(path)
    assert answers > len(PROJECTIONS), "hardly anything was answered"
    return wrong


async def copied_answer(
    service: Service, copy: Documents, projection: AnyProjection, view: View[Any], where: Where, *, at: int
) -> Any:  # noqa: ANN401 - any document
    """Return what a copy says, shown as the service shows its own: names are the service's to open."""
    log = service.stage.log
    asked = Asked(where=where, may=await service.administrator(), valid_on=TODAY, names={}, through=at)
    scope = scope_of(projection, view, asked)
    within = [key for key in sorted(copy) if scope.first <= key <= scope.last]
    documents = {key: copy[key] for key in within[: scope.documents_max]}
    names = await names_of(log, view, scope, at)
    powers = await log.authorities_at(acts_of(view, documents, where))
    document = rendered(view, documents, replace(asked, names=names, powers=powers))
    return None if document is None else msgspec.json.decode(_encode(document))


async def test_snapshot_and_what_the_feed_tells_after_it_is_now(database_url: str) -> None:
    async with serving(database_url) as service:
        chance = Random(4)  # noqa: S311 - the same each time
        for seed in range(3):
            head = await service.tell(seed)
            position = chance.randrange(1, head)
            before = recorded_in(service, await service.events(after=0, through=position))
            snapshot = (await service.get("/digest", as_of=position)).json()
            assert digest_of(PROJECTIONS, before).digest == snapshot["digest"]
            copies: dict[str, Documents] = {}
            folded(copies, before)
            after = recorded_in(service, await service.events(after=position, through=head))
            folded(copies, after)
            assert digest_of(PROJECTIONS, [*before, *after]).digest == (await service.get("/digest")).json()["digest"]
            assert await differing(service, copies, head) == []


async def test_copy_that_missed_an_event_is_told_apart(database_url: str) -> None:
    async with serving(database_url) as service:
        head = await service.tell(1)
        recorded = recorded_in(service, await service.events(after=0, through=head))
        copies: dict[str, Documents] = {}
        missed = next(each for each in reversed(recorded) if each.event.type == "scoring.score-appraised.v1")
        folded(copies, [each for each in recorded if each is not missed])
        wrong = await differing(service, copies, head)
        assert wrong
        assert all(f"/years/{missed.event.year}/" in path for path in wrong)


@pytest.mark.parametrize("by", ["stream", "poll"])
async def test_bytes_of_the_feed_are_those_that_the_tree_is_of(
    database_url: str, by: Literal["stream", "poll"]
) -> None:
    async with serving(database_url) as service:
        head = await service.tell(2)
        events = await service.events(after=0, through=head, by=by)
        expected = (await service.get("/digest", as_of=head)).json()["root"]
        assert b64encode(root([leaf_hash(event.raw) for event in events])).decode() == expected
        spoiled = [leaf_hash(event.raw.replace(b'"data"', b' "data"')) for event in events]
        assert b64encode(root(spoiled)).decode() != expected


async def test_cloudevents_own_package_reads_every_event(database_url: str) -> None:
    async with serving(database_url) as service:
        samples = [each for each in (*SAMPLES.values(), *FULL_SAMPLES.values()) if each.becomes is None]
        for sample in samples:
            await service.stage.log.execute(Tell((sample,)), by=Acting(OPERATOR))
        head = await service.tell(3)
        batch = (await service.get("/events", limit=1_000)).content
        members = [bytes(member) for member in msgspec.json.decode(batch, type=list[msgspec.Raw])]
        assert len(members) == head < 1_000
        events = await service.events(after=0, through=head, by="stream")
        assert [event.raw for event in events] == members
        assert {event.type for event in events} >= {sample.type for sample in samples}
        for event in events:
            message = HTTPMessage({"content-type": "application/cloudevents+json"}, event.raw)
            read = from_structured(message, JSONFormat(), CloudEvent)
            assert (read.get_id(), read.get_type()) == (str(event.position), event.type)
            assert (read.get_source(), read.get_subject(), read.get_time()) == (event.source, event.subject, event.time)
            assert read.get_dataschema() == f"urn:emulation:schema:{event.type}"
            assert (read.get_data(), read.get_extension("actor")) == (event.data, event.actor)
