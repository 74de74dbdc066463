"""A long span of the log in one answer: whole, or broken off for everybody to see."""

import asyncio
import time
from math import inf
from pathlib import Path

import pytest

from emulation_saas.access.events import RoleRevoked
from emulation_saas.log import LogGapError, ProvinceLog, province_log
from emulation_saas.log.codec import EVENT_BYTES_MAX
from emulation_saas.log.reading import GRAINS, Grain
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.streams import lines, routes
from emulation_saas.streams.feed import Reader
from emulation_saas.streams.lines import Lines
from emulation_saas.streams.sights import Selection
from emulation_saas.streams.subscribers import Subscriber
from tests.audit.auditing import Service, operator_with_all_rights, serving
from tests.http.notebook import token
from tests.logs import ISSUER, open_province, register, running_logs
from tests.streams.listening import EVENTS, listening
from tests.streams.test_feed import NDJSON, add_agency, shown_to

ADMIN = "admin@bac-song"


@pytest.mark.parametrize("turn_s", [0, 1])
@pytest.mark.parametrize(
    "grains",
    [[Grain(1, 10**6, 2)], [Grain(3, 10**6, 1)], [Grain(100, 10**6, 9)], [Grain(4, 600, 3), Grain(3, 10**6, 1)]],
)
async def test_lines_are_the_stored_bytes_in_any_turns_and_blocks(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turn_s: float, grains: list[Grain]
) -> None:
    monkeypatch.setattr(lines, "TURN_MAX_S", turn_s)
    monkeypatch.setattr(province_log, "GRAINS", grains)
    async with serving(database_url, tmp_path, filled=False) as service:
        for number in range(20):
            await add_agency(service, f"so-{number}")
        stored = [entry.body + b"\n" for entry in await shown_to(service, ADMIN)]
        for after, through in ((0, None), (0, 7), (5, 6), (9, None), (9, 10**6), (25, None), (7, 3)):
            query = {"after": after} | ({} if through is None else {"through": through})
            answer = await service.client.get(EVENTS, params=query, headers={"accept": NDJSON})
            assert answer.content == b"".join(stored[after:through]), query
            assert answer.headers["log-head"] == str(len(stored))
            assert answer.headers["log-scanned-to"] == str(max(after, min(len(stored), through or len(stored))))
            assert answer.headers["cache-control"] == "no-store"


async def test_lines_that_are_waited_for_are_a_page(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        head = (await service.log.head()).position
        query = {"after": head, "wait": 20}
        asking = asyncio.create_task(service.client.get(EVENTS, params=query, headers={"accept": NDJSON}))
        await asyncio.sleep(0.2)
        await add_agency(service, "so-moi")
        answer = await asking
        assert answer.content.count(b"\n") == 1
        assert answer.headers["log-scanned-to"] == str(head + 1)


async def test_lines_break_off_for_who_loses_his_last_role(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_little_at_once(monkeypatch)
    async with serving(database_url, tmp_path) as service:
        person = await service.log.person_of(ISSUER, "council-member")
        assert person is not None
        async with listening(service, "council-member", accept=NDJSON) as listener:
            listener.takes.clear()
            await service.tell(RoleRevoked(person=person, role="council-member"))
            await asyncio.sleep(0.5)
            listener.takes.set()
            await listener.over()
            assert not listener.is_whole


async def test_lines_break_off_where_a_position_is_missing(
    server: EmbeddedPostgres, database_url: str, tmp_path: Path
) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        await add_agency(service, "so-moi")
        async with operator_with_all_rights(server, database_url) as root:
            await root.execute("DELETE FROM events WHERE position = 3")
        async with listening(service, ADMIN, accept=NDJSON) as listener:
            await listener.over()
            assert (listener.status, listener.is_whole) == (200, False)
        assert (await service.client.get(EVENTS)).status_code == 500


async def test_database_joins_lines_and_notices_what_is_missing(
    server: EmbeddedPostgres, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_logs(database_url) as logs:
        opened = await open_province(logs)
        log: ProvinceLog = opened.log
        for number in range(5):
            await log.execute(register(f"so-{number}"), by=opened.acting())
        stored = [entry.body for entry in await log.entries(after=0, through=10)]
        monkeypatch.setattr(province_log, "GRAINS", [Grain(3, 10**6, 2)])

        async def read(after: int, through: int) -> list[tuple[int, bytes]]:
            return [part async for part in log.lines(after=after, through=through)]

        assert await read(2, 9) == [(5, joined(stored[2:5])), (8, joined(stored[5:8])), (9, joined(stored[8:9]))]
        assert await read(9, 10) == [(10, joined(stored[9:]))]
        assert await read(9, 9) == []
        async with operator_with_all_rights(server, database_url) as root:
            await root.execute("DELETE FROM events WHERE position = 4")
        assert await read(0, 3) == [(3, joined(stored[:3]))]
        for after, through in ((0, 10), (0, 4), (3, 10), (2, 9), (10, 20)):
            with pytest.raises(LogGapError):
                await read(after, through)


async def test_parts_are_bounded_whatever_the_events_have(server: EmbeddedPostgres, database_url: str) -> None:
    async with running_logs(database_url) as logs:
        opened = await open_province(logs)
        log: ProvinceLog = opened.log
        for number in range(30):
            await log.execute(register(f"so-{number}"), by=opened.acting())
        head = (await log.head()).position
        async with operator_with_all_rights(server, database_url) as root:
            await root.execute("UPDATE events SET body = convert_to(repeat('x', 65535), 'UTF8') WHERE position > 10")
        stored = [entry.body for entry in await log.entries(after=0, through=head)]
        parts = [part async for part in log.lines(after=0, through=head)]
        assert b"".join(part for _, part in parts) == joined(stored)
        assert [last for last, _ in parts] == [*range(8, head, 8), head]


def test_no_grain_gives_more_than_it_says() -> None:
    for grain in GRAINS:
        part = grain.events * (grain.event_bytes_max + 1)
        assert part <= 801 * 1024
        assert part * grain.blocks_at_once <= 10 * 1024**2
    assert GRAINS[-1].event_bytes_max == EVENT_BYTES_MAX, "whatever is recorded can be read"


def read_little_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what a reader may see judged anew before each event, of which none but one is read ahead."""
    monkeypatch.setattr(province_log, "GRAINS", [Grain(1, 10**6, 1)])
    monkeypatch.setattr(lines, "TURN_MAX_S", 0)
    monkeypatch.setattr(lines, "AHEAD_BYTES_MAX", 1)


def joined(bodies: list[bytes]) -> bytes:
    """Return a line for each."""
    return b"".join(body + b"\n" for body in bodies)


async def test_lines_break_off_when_the_token_has_expired(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "LEEWAY_S", 0)
    read_little_at_once(monkeypatch)
    async with serving(database_url, tmp_path, filled=False) as service:
        expires_at = int(time.time()) + 2
        short = {"authorization": f"Bearer {token(ADMIN, iss=ISSUER, exp=expires_at)}"}

        def by(_service: Service, _role: str) -> dict[str, str]:
            return short

        monkeypatch.setattr(Service, "by", by)
        async with listening(service, ADMIN, accept=NDJSON) as listener:
            listener.takes.clear()
            await asyncio.sleep(expires_at - time.time() + 0.1)
            listener.takes.set()
            await listener.over()
            assert (listener.status, listener.is_whole) == (200, False)


@pytest.mark.parametrize("role", ["integrator", "auditor"])
async def test_who_takes_his_time_holds_no_connection_and_little_memory(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    monkeypatch.setattr(province_log, "GRAINS", [Grain(1, 10**6, 1)])
    monkeypatch.setattr(lines, "AHEAD_BYTES_MAX", 2_000)
    monkeypatch.setattr(lines, "PAGE_BYTES_MAX", 1)
    async with serving(database_url, tmp_path) as service:
        shown = await shown_to(service, role)
        stored = [entry.body + b"\n" for entry in shown]
        person = await service.log.person_of(ISSUER, role)
        assert person is not None
        reader = Reader(service.log, await service.log.authority(person), Selection())
        subscriber = Subscriber(service.log.province, person, 0)
        turns = asyncio.Semaphore(1)
        head = (await service.log.head()).position
        parts = Lines(reader, subscriber, lambda: turns, through=head, token_expires_at=inf).parts()
        taken = [await anext(parts)]
        await asyncio.sleep(10 * lines.TURN_MAX_S)
        assert not turns.locked(), "others have their turn"
        assert subscriber.position < head
        ahead = sum(len(entry.body) + 1 for entry in shown[1:] if entry.position <= subscriber.position)
        assert 2_000 <= ahead < 2_000 + 2 * max(map(len, stored)), "one reaches the limit, and one is at hand"
        taken += [part async for part in parts]
        assert taken == stored
