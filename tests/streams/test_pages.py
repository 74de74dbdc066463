"""A page shows what its reader may see and wants, and says how far it looked."""

import asyncio
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation_saas.access.use_cases import GrantRole, RegisterPerson
from emulation_saas.http.refusals import Busy
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.ids import PersonId, mint_person
from emulation_saas.log import LogGapError
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.streams import pages, tails
from emulation_saas.streams.feed import Asked, Reader
from emulation_saas.streams.pages import Page, read_page
from emulation_saas.streams.refusals import CursorBeyondHead
from emulation_saas.streams.sights import Selection, Sight
from emulation_saas.streams.tails import Tails
from emulation_saas.streams.waiting import waited_for
from tests.audit.auditing import operator_with_all_rights
from tests.log.courses import Joined, Record
from tests.logs import Opened, open_province, register, running_logs

ADMIN = Authority(person=PersonId("p-quantri2222"), known=True, is_admin=True)
NOBODY = Authority(person=PersonId("p-khongai2222"))


def types(page: Page) -> list[str]:
    return [entry.type for entry in page.entries]


async def test_page_says_how_far_it_looked_even_when_it_shows_nothing(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        log = (await open_province(logs)).log
        head = (await log.head()).position
        page = await read_page(log, Sight(log, NOBODY), after=0, limit=10)
        assert (page.entries, page.scanned_to, page.head) == ([], head, head)
        page = await read_page(log, Sight(log, ADMIN, Selection(types=["year.*"])), after=1, limit=10)
        assert (page.entries, page.scanned_to) == ([], head)


async def test_page_ends_with_its_last_event_or_where_it_was_told_to(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        log = (await open_province(logs)).log
        page = await read_page(log, Sight(log, ADMIN), after=0, limit=2)
        assert [entry.position for entry in page.entries] == [1, 2]
        assert page.scanned_to == 2
        assert (await read_page(log, Sight(log, ADMIN), after=1, through=3, limit=10)).scanned_to == 3
        assert (await read_page(log, Sight(log, ADMIN), after=3, through=2, limit=10)).scanned_to == 3


@pytest.mark.parametrize("read_bytes", [1, 2_000])
@pytest.mark.parametrize("limit", [1, 3, 100])
async def test_page_is_the_same_however_much_is_read_at_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch, read_bytes: int, limit: int
) -> None:
    async with running_logs(database_url) as logs:
        opened = await open_province(logs)
        for number in range(5):
            await opened.log.execute(register(f"so-{number}"), by=opened.acting())
        sights = [Sight(opened.log, ADMIN), Sight(opened.log, ADMIN, Selection(tags=["agency:so-3"]))]
        whole = [await read_page(opened.log, sight, after=1, limit=limit) for sight in sights]
        monkeypatch.setattr(tails, "READ_BYTES_MAX", read_bytes)
        assert [await read_page(opened.log, sight, after=1, limit=limit) for sight in sights] == whole


async def test_who_waits_gets_what_was_looked_through_when_his_time_is_up(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "SCAN_MAX", 1)
    async with running_logs(database_url) as logs:
        opened = await open_province(logs)
        for number in range(10):
            await opened.log.execute(register(f"so-{number}"), by=opened.acting())
        head = (await opened.log.head()).position
        reader = Reader(opened.log, await opened.log.authority(opened.admin), Selection(tags=["agency:none"]))
        asked = Asked(after=0, through=None, limit=10, selection=Selection())
        followed = Tails()
        async with followed.following(opened.log) as tail:
            page = await waited_for(tail, reader, asked, Page([], 0, head), limit=10, wait_s=0.001)
        await followed.close()
        assert page.entries == []
        assert page.scanned_to < head


async def test_selection_is_by_pattern_of_type_and_by_all_its_tags(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        opened = await open_province(logs)
        log = opened.log
        for agency in ("so-a", "so-b"):
            await log.execute(register(agency), by=opened.acting())
        page = await read_page(
            log, Sight(log, ADMIN, Selection(types=["agency.*", "log.opened.v1"])), after=0, limit=10
        )
        assert types(page) == ["log.opened.v1", "agency.registered.v1", "agency.registered.v1"]
        page = await read_page(log, Sight(log, ADMIN, Selection(tags=["agency:so-b"])), after=0, limit=10)
        assert types(page) == ["agency.registered.v1"]
        page = await read_page(log, Sight(log, ADMIN, Selection(types=["agency"])), after=0, limit=10)
        assert types(page) == []


async def test_reader_sees_what_the_powers_he_has_show(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        opened = await open_province(logs)
        integrator = await _integrator(opened)
        log = opened.log
        seen = {
            entry.position
            for entry in await log.entries(after=0, through=100)
            if integrator.may_see((event := log.closed(entry)).event, actor=event.actor)
        }
        page = await read_page(log, Sight(log, integrator), after=0, limit=100)
        assert {entry.position for entry in page.entries} == seen
        assert len(seen) < page.head


async def test_position_beyond_the_head_is_refused(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        log = (await open_province(logs)).log
        head = (await log.head()).position
        assert (await read_page(log, Sight(log, ADMIN), after=head, limit=1)).entries == []
        with pytest.raises(CursorBeyondHead, match=f"at {head}"):
            await read_page(log, Sight(log, ADMIN), after=head + 1, limit=1)


async def _integrator(opened: Opened) -> Authority:
    person = mint_person()
    await opened.log.execute(
        RegisterPerson(person=person, issuer="https://issuer.test", sub="portal", name="Cổng"), by=opened.acting()
    )
    await opened.log.execute(GrantRole(person=person, role="integrator"), by=opened.acting())
    return await opened.log.authority(person, is_newest=True)


@given(
    pattern=st.text("ab.*", min_size=1, max_size=8),
    name=st.text("ab.", max_size=8),
)
def test_star_stands_for_any_part_of_a_name(pattern: str, name: str) -> None:
    assert Selection(types=[pattern]).wants(name) is fnmatchcase(name, pattern)


def test_pattern_of_many_stars_is_no_work() -> None:
    """As an expression that tries every way to share a name out among them, it would not end in years."""
    assert not Selection(types=["*" * 99 + "x", "*e" * 49 + "*x"]).wants("scoring.score-appraised.v1")
    assert Selection(types=["*" * 99 + "1"]).wants("scoring.score-appraised.v1")


async def test_end_of_the_log_that_is_missing_is_told_at_once(server: EmbeddedPostgres, database_url: str) -> None:
    async with running_logs(database_url) as logs:
        log = (await open_province(logs)).log
        head = (await log.head()).position
        async with operator_with_all_rights(server, database_url) as root:
            await root.execute("DELETE FROM events WHERE position = $1", head)
        async with asyncio.timeout(10):
            for after in (0, head - 1):
                with pytest.raises(LogGapError):
                    await read_page(log, Sight(log, ADMIN), after=after, limit=100)


async def test_nobody_is_led_past_what_a_later_release_recorded(database_url: str) -> None:
    async with running_logs(database_url, extra=(Joined,)) as later:
        opened = await open_province(later)
        await opened.log.execute(Record((Joined(course="toan", student="lan"),)), by=opened.acting())
        await opened.log.execute(register("so-moi"), by=opened.acting())
        head = (await opened.log.head()).position
    async with running_logs(database_url) as logs:
        log = await logs.find("bac-song")
        assert log is not None
        page = await read_page(log, Sight(log, ADMIN), after=0, limit=100)
        assert [entry.position for entry in page.entries] == list(range(1, head - 1))
        assert (page.scanned_to, page.head, page.is_full) == (head - 2, head - 2, False)
        with pytest.raises(Busy, match=f"at {head - 1}"):
            await read_page(log, Sight(log, ADMIN), after=head - 2, limit=100)
        assert (await read_page(log, Sight(log, ADMIN), after=head - 1, limit=100)).scanned_to == head
        followed = Tails()
        assert [entry.position for entry in await followed.after(log, 0)] == list(range(1, head - 1))
        with pytest.raises(Busy):
            await followed.after(log, head - 2)
        await followed.close()
