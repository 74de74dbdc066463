"""Many who wait cost little, and nobody who waits, or does not read, takes anything from others."""

import asyncio
from contextlib import AsyncExitStack, nullcontext
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from emulation_saas.http import application
from emulation_saas.http.exchange import begin_exchange
from emulation_saas.kernel.ids import ProvinceId, mint_person
from emulation_saas.log import Entry, ProvinceLog
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.scoring.events import ScoreAppraised
from emulation_saas.streams import subscribers, tails
from emulation_saas.streams.tails import Tail, Tails
from tests.audit.auditing import ROLES, operator_with_all_rights, serving
from tests.builders import SAMPLES
from tests.logs import open_province, register, running_logs
from tests.streams.listening import EVENTS, Listener, app_of, listening
from tests.streams.test_feed import NDJSON, add_agency
from tests.streams.test_feed_stream import HEAD


async def test_one_person_has_so_many_streams_and_no_more(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscribers, "STREAMS_PER_PERSON_MAX", 2)
    async with serving(database_url, tmp_path) as service:
        async with listening(service, "integrator"), listening(service, "integrator"):
            for accept in ("text/event-stream", NDJSON):
                async with listening(service, "integrator", accept=accept) as refused:
                    assert refused.status == 429
                    assert refused.headers["retry-after"] == "1"
                    await refused.hears(b'"too-many-requests"')
            head = (await service.log.head()).position
            waiting = await service.get("/events", "integrator", after=head, wait=5)
            assert waiting.status_code == 429
            assert (await service.get("/events", "integrator")).status_code == 200, "a page is no stream"
            async with listening(service, "auditor") as other:
                assert other.status == 200
        async with listening(service, "integrator") as again:
            assert again.status == 200, "who leaves makes room"


async def test_one_process_has_so_many_streams_and_no_more(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscribers, "STREAMS_MAX", 2)
    async with serving(database_url, tmp_path) as service:
        async with (
            listening(service, "integrator"),
            listening(service, "auditor"),
            listening(service, "council-member") as refused,
        ):
            assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        async with listening(service, "council-member") as again:
            assert again.status == 200


async def test_one_province_leaves_room_for_others(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscribers, "STREAMS_PER_PROVINCE_MAX", 2)
    async with serving(database_url, tmp_path) as service:
        other = ProvinceId(uuid4())
        async with listening(service, "integrator"), listening(service, "auditor"):
            async with listening(service, "council-member") as refused:
                assert (refused.status, refused.headers["retry-after"]) == (429, "1")
            begin_exchange()
            assert service.subscribers.admit(other, mint_person(), 0).province == other
        async with listening(service, "council-member") as again:
            assert again.status == 200


async def test_what_is_made_for_all_is_little_however_many_want_something_else(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        tail = Tail((await open_province(logs)).log, nullcontext)
        made = [tail.made.once(number, object) for number in range(1_000)]
        again = [tail.made.once(number, object) for number in reversed(range(1_000))]
        assert sum(one is another for one, another in zip(made, reversed(again), strict=True)) == tails.MADE_MAX
        assert tail.made.once(0, object) is again[-1]
        tail.stop()
        assert tail.made.once(0, object) is not again[-1], "it is let go when the next thing may have happened"


async def test_who_waits_is_no_request_in_flight(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "REQUESTS_IN_FLIGHT_MAX", 1)
    async with serving(database_url, tmp_path) as service, AsyncExitStack() as stack:
        head = (await service.log.head()).position
        for _ in range(3):
            await stack.enter_async_context(listening(service, "integrator"))
        waiting = asyncio.create_task(service.get("/events", "integrator", after=head, wait=20))
        await asyncio.sleep(0.3)
        assert (await service.get("/events", "auditor", limit=1)).status_code == 200
        await add_agency(service, "so-moi")
        assert len((await waiting).json()) == 1
        assert app_of(service).in_flight == set()


async def test_who_reads_nothing_is_let_go_and_loses_nothing(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "PIECE_TIMEOUT_S", 0.5)
    async with serving(database_url, tmp_path) as service:
        async with listening(service, "auditor") as listener, listening(service, "auditor") as other:
            await listener.hears(HEAD)
            listener.takes.clear()
            position = await add_agency(service, "so-moi")
            await other.hears(b"id: %d\n" % position)
            async with asyncio.timeout(10):
                while len(service.subscribers.positions()[service.log.province]) == 2:  # noqa: ASYNC110 - no event tells
                    await asyncio.sleep(0.05)
            assert position not in listener.positions()
            last = str(listener.positions()[-1])
        async with listening(service, "auditor", last_event_id=last) as resumed:
            await resumed.hears(HEAD)
            assert resumed.positions() == [position]


async def test_positions_of_all_subscribers_are_known(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        head = (await service.log.head()).position
        known = service.subscribers
        async with listening(service, "auditor", after=head) as one, listening(service, "integrator") as two:
            await one.hears(HEAD)
            await two.hears(HEAD)
            assert known.positions() == {service.log.province: [head, head]}
            position = await add_agency(service, "so-moi")
            await two.hears(b"id: %d\n" % position)
            await one.hears(b"id: %d\n" % position)
            assert known.positions() == {service.log.province: [position, position]}
        assert known.positions() == {}


async def test_database_does_not_feel_how_many_there_are(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every reading of the log by the feed is counted, while events of every kind are recorded."""
    readings = 0
    entries = ProvinceLog.entries

    async def counted(self: ProvinceLog, **query: Any) -> list[Entry]:  # noqa: ANN401 - as the log takes them
        nonlocal readings
        readings += 1
        return await entries(self, **query)

    monkeypatch.setattr(ProvinceLog, "entries", counted)
    async with serving(database_url, tmp_path) as service, AsyncExitStack() as stack:
        head = (await service.log.head()).position
        listeners: list[Listener] = [
            await stack.enter_async_context(listening(service, role, after=head)) for role in ROLES for _ in range(10)
        ]
        for listener in listeners:
            await listener.hears(HEAD)
        readings = 0
        for number in range(10):
            await service.tell(SAMPLES[ScoreAppraised])
            await add_agency(service, f"so-{number}")
        for listener in listeners:
            await listener.hears(b"id: %d\n" % (head + 20))
        assert 1 <= readings <= 20, "each event was read once, for sixty subscribers"


async def test_what_follows_is_given_in_order_from_memory_and_from_the_database(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tails, "KEPT_BYTES_MAX", 2_000)
    async with running_logs(database_url) as logs:
        opened = await open_province(logs)
        log, followed = opened.log, Tails()
        positions: dict[int, list[int]] = {0: [], 3: []}

        async def follow(after: int) -> None:
            heard = positions[after]
            at = after
            while at < last:
                got = await followed.after(log, at)
                heard += [entry.position for entry in got]
                at = heard[-1]

        last = (await log.head()).position + 30
        following = [asyncio.create_task(follow(after)) for after in positions]
        for number in range(30):
            await log.execute(register(f"so-{number}"), by=opened.acting())
        async with asyncio.timeout(20):
            await asyncio.gather(*following)
        assert positions == {0: list(range(1, last + 1)), 3: list(range(4, last + 1))}
        await followed.close()


async def test_tail_ends_some_time_after_its_last_follower(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tails, "TURN_S", 0.05)
    monkeypatch.setattr(tails, "LINGER_S", 0.2)
    async with running_logs(database_url) as logs:
        log = (await open_province(logs)).log
        followed = Tails()
        async with followed.following(log) as first, followed.following(log) as second:
            assert first is second
        async with followed.following(log) as again:
            assert again is first
            await asyncio.sleep(0.5)
        async with asyncio.timeout(10):
            while True:
                async with followed.following(log) as another:
                    if another is not first:
                        break
                await asyncio.sleep(0.3)
        await followed.close()


async def test_reads_by_auditors_are_on_record_with_their_range_before_their_first_byte(
    server: EmbeddedPostgres, database_url: str, tmp_path: Path
) -> None:
    async with serving(database_url, tmp_path) as service:
        head = (await service.log.head()).position
        async with operator_with_all_rights(server, database_url) as root:
            await root.execute("REVOKE INSERT ON access_log FROM emulation_app")
            for accept in ("text/event-stream", NDJSON, "*/*"):
                async with listening(service, "auditor", accept=accept) as refused:
                    assert refused.status == 503
                    await refused.hears(b'"read-not-recorded"')
                    assert b"log.opened" not in refused.body
            await root.execute("GRANT INSERT ON access_log TO emulation_app")
            async with listening(service, "auditor", last_event_id="4", after=9):
                pass
            async with listening(service, "auditor", accept=NDJSON, after=5):
                pass
            await service.get("/events", "auditor", after=6, limit=2)
            lines = await root.fetch("SELECT request, reason FROM access_log ORDER BY at")
    assert [tuple(line) for line in lines] == [
        (f"GET {EVENTS}?after=4", "auditor"),
        (f"GET {EVENTS}?after=5&through={head}", "auditor"),
        (f"GET {EVENTS}?after=6&through=8", "auditor"),
    ]
