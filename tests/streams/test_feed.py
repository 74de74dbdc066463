"""Pages of the feed: the stored bytes of what the reader may see, in order, and where to go on."""

import asyncio
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import msgspec
import pytest

from emulation_saas.http.limits import PAGE_DEFAULT
from emulation_saas.log import Entry
from emulation_saas.scoring.events import ScoreAppraised
from emulation_saas.streams import pages
from tests.audit.auditing import OVERSEEING, ROLES, Service, serving
from tests.builders import SAMPLES
from tests.streams.listening import EVENTS, app_of

BATCH = "application/cloudevents-batch+json"
NDJSON = "application/x-ndjson"
FINAL = "private, max-age=31536000, immutable"


async def shown_to(service: Service, role: str) -> list[Entry]:
    """Return what a role may see, judged one by one."""
    person = await service.log.person_of("https://issuer.test", role)
    assert person is not None
    may = await service.log.authority(person, is_newest=True)
    entries = await service.log.entries(after=0, through=10_000)
    return [entry for entry in entries if may.may_see((told := service.log.closed(entry)).event, actor=told.actor)]


def bodies_of(answer: httpx.Response) -> list[bytes]:
    """Return the events of a page, byte for byte."""
    if answer.headers["content-type"] == NDJSON:
        return answer.content.splitlines()
    return [bytes(raw) for raw in msgspec.json.decode(answer.content, type=list[msgspec.Raw])]


def link_of(answer: httpx.Response) -> dict[str, str] | None:
    """Return the query of the next page."""
    link = answer.headers.get("link")
    if link is None:
        return None
    assert link.startswith("<?")
    assert link.endswith('>; rel="next"')
    return dict(parse_qsl(link[2:].partition(">")[0], strict_parsing=True))


async def add_agency(service: Service, agency: str) -> int:
    answer = await service.client.post(
        "/v1/provinces/bac-song/agencies",
        json={"agency": agency, "name": f"Sở {agency}", "effective_on": "2020-01-01"},
    )
    assert answer.status_code == 201, answer.text
    return int(answer.headers["log-position"])


async def test_every_role_gets_the_stored_bytes_of_what_it_may_see(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        head = (await service.log.head()).position
        for role in ROLES:
            shown = await shown_to(service, role)
            answer = await service.get("/events", role, limit=1000)
            assert answer.headers["content-type"] == BATCH
            assert answer.content == b"[" + b",".join(entry.body for entry in shown) + b"]", role
            assert answer.headers["log-head"] == answer.headers["log-scanned-to"] == str(head)
            assert answer.headers["vary"] == "authorization, accept"
            lines = await service.client.get(EVENTS, headers=service.by(role) | {"accept": NDJSON})
            assert lines.content == b"".join(entry.body + b"\n" for entry in shown), role
            assert (lines.headers["log-head"], lines.headers["log-scanned-to"]) == (str(head), str(head))
            assert (len(shown) < head) == (role not in OVERSEEING or head > len(shown))


async def test_any_way_of_paging_gives_the_same_events(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        head = (await service.log.head()).position
        for role in ("auditor", "integrator", "member-representative"):
            bodies = [entry.body for entry in await shown_to(service, role)]
            for limit, accept in product((2, 7, 1000), (BATCH, NDJSON)):
                paged: list[bytes] = []
                query: dict[str, Any] | None = {"limit": limit, "through": head}
                while query is not None:
                    headers = service.by(role) | {"accept": accept}
                    answer = await service.client.get(EVENTS, params=query, headers=headers)
                    assert answer.headers["cache-control"] == FINAL
                    paged += bodies_of(answer)
                    query = link_of(answer)
                assert paged == bodies, (role, limit, accept)


async def test_filter_is_kept_in_the_link_and_what_is_passed_over_is_told(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        head = (await service.log.head()).position
        nothing = await service.get("/events", "auditor", types="no-such.*")
        assert (nothing.content, nothing.headers["log-scanned-to"]) == (b"[]", str(head))
        assert link_of(nothing) == {"after": str(head), "types": "no-such.*"}
        some = await service.get(
            "/events", "auditor", types="year.*,bloc.*", tags="bloc:tham-muu-1", limit=1, through=head
        )
        following = link_of(some)
        assert following == {
            "after": some.headers["log-scanned-to"],
            "limit": "1",
            "types": "year.*,bloc.*",
            "tags": "bloc:tham-muu-1",
            "through": str(head),
        }
        found = await service.get("/events", "auditor", types="year.*,bloc.*", tags="bloc:tham-muu-1", limit=1000)
        wanted = [
            entry.body
            for entry in await shown_to(service, "auditor")
            if entry.type.startswith(("year.", "bloc.")) and "bloc:tham-muu-1" in service.log.closed(entry).event.tags()
        ]
        assert wanted
        assert found.content == b"[" + b",".join(wanted) + b"]"


async def test_page_that_cannot_change_may_be_kept_and_the_last_one_may_not(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(database_url, tmp_path) as service:
        head = (await service.log.head()).position
        for query in ({"limit": 3}, {"through": 5}, {"through": head}, {"after": 9, "through": 5}):
            answer = await service.get("/events", "auditor", **query)
            assert answer.headers["cache-control"] == FINAL, query
        for query in ({}, {"after": head}, {"through": head + 1}):
            answer = await service.get("/events", "auditor", **query)
            assert answer.headers["cache-control"] == "no-store", query
        monkeypatch.setattr(pages, "SCAN_MAX", 10)
        answer = await service.get("/events", "auditor", types="no-such")
        assert (answer.headers["log-scanned-to"], answer.headers["cache-control"]) == ("10", FINAL)


async def test_page_that_the_caller_holds_is_not_sent_again(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        first = await service.get("/events", "auditor", limit=3)
        headers = service.by("auditor") | {"if-none-match": first.headers["etag"]}
        again = await service.client.get(EVENTS, params={"limit": 3}, headers=headers)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["log-scanned-to"] == first.headers["log-scanned-to"]
        other = await service.client.get(EVENTS, params={"limit": 4}, headers=headers)
        assert other.status_code == 200


async def test_limit_is_a_hundred_unless_it_is_named(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        await service.tell(*[SAMPLES[ScoreAppraised]] * PAGE_DEFAULT)
        assert len((await service.get("/events", "auditor")).json()) == PAGE_DEFAULT
        assert len((await service.get("/events", "auditor", limit=1000)).json()) > PAGE_DEFAULT


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"after": 10**6}, "cursor-beyond-head"),
    ({"lastEventId": 10**6}, "cursor-beyond-head"),
    ({"after": -1}, "malformed-parameter"),
    ({"after": "x"}, "malformed-parameter"),
    ({"lastEventId": "x"}, "malformed-parameter"),
    ({"through": 0}, "malformed-parameter"),
    ({"limit": 0}, "bad-limit"),
    ({"limit": 1001}, "bad-limit"),
    ({"wait": 31}, "malformed-parameter"),
    ({"timeout": 30_001}, "malformed-parameter"),
    ({"types": ""}, "malformed-parameter"),
    ({"types": "Ballot"}, "malformed-parameter"),
    ({"types": "a,,b"}, "invalid-filter"),
    ({"types": ",".join(["a"] * 51)}, "invalid-filter"),
    ({"tags": "bloc"}, "invalid-filter"),
    ({"tags": ",".join(["bloc:a"] * 11)}, "invalid-filter"),
    ({"after": 1, "lastEventId": 1}, "two-names-for-one"),
    ({"wait": 1, "timeout": 1}, "two-names-for-one"),
]


async def test_what_cannot_be_asked_is_refused(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        for (query, code), accept in product(REFUSED, ("*/*", NDJSON, "text/event-stream")):
            refused = await service.client.get(EVENTS, params=query, headers={"accept": accept})
            assert (refused.status_code, refused.json()["code"]) == (422, code), (query, accept)


async def test_position_beyond_the_head_is_told_where_the_log_stands(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        head = (await service.log.head()).position
        refused = await service.get("/events", after=head + 1)
        assert f"stands at {head}" in refused.json()["detail"]
        assert (await service.get("/events", lastEventId=head)).content == b"[]"


async def test_feed_has_three_media_types_and_no_other(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        for accept, given in {
            "application/x-ndjson;q=0.5, application/cloudevents-batch+json": BATCH,
            "application/*": BATCH,
            "application/x-ndjson, */*;q=0.1": NDJSON,
        }.items():
            answer = await service.client.get(EVENTS, headers={"accept": accept})
            assert answer.headers["content-type"] == given, accept
        refused = await service.client.get(EVENTS, headers={"accept": "application/xml"})
        assert (refused.status_code, refused.json()["code"]) == (406, "not-acceptable")


async def test_request_waits_for_an_event_that_its_caller_sees(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        head = (await service.log.head()).position
        for query in ({"wait": 20}, {"timeout": 20_000}, {"wait": 20, "types": "agency.*"}):
            waiting = asyncio.create_task(service.get("/events", "integrator", after=head, **query))
            await asyncio.sleep(0.2)
            hidden = await _hidden_from_integrators(service)
            await asyncio.sleep(0.2)
            assert not waiting.done(), "what is hidden wakes nobody up"
            head = await add_agency(service, f"so-{hidden}")
            answer = await waiting
            assert [event["id"] for event in answer.json()] == [str(head)]
            assert answer.headers["log-scanned-to"] == answer.headers["log-head"] == str(head)
            assert answer.headers["cache-control"] == "no-store"


async def test_request_that_waited_in_vain_is_told_how_far_was_looked(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        head = (await service.log.head()).position
        waiting = asyncio.create_task(service.get("/events", "integrator", after=head, wait=1))
        await asyncio.sleep(0.2)
        hidden = await _hidden_from_integrators(service)
        answer = await waiting
        assert (answer.status_code, answer.content) == (200, b"[]")
        assert answer.headers["log-scanned-to"] == str(hidden)
        assert link_of(answer) == {"after": str(hidden)}


async def test_request_that_waits_is_answered_at_once_when_the_service_stops(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        head = (await service.log.head()).position
        waiting = asyncio.create_task(service.get("/events", "integrator", after=head, wait=30))
        await asyncio.sleep(0.2)
        app_of(service).drain()
        async with asyncio.timeout(5):
            assert (await waiting).content == b"[]"


async def test_request_waits_longer_than_others_may_take(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulation_saas.http.application.REQUEST_TIMEOUT_S", 1.0)
    async with serving(database_url, tmp_path) as service:
        head = (await service.log.head()).position
        assert (await service.get("/events", "integrator", after=head, wait=2)).status_code == 200


async def _hidden_from_integrators(service: Service) -> int:
    """Record an event that integrators do not see; return its position."""
    return await service.tell(SAMPLES[ScoreAppraised])
