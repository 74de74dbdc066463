"""A page shows what its reader may see and wants, and says how far it looked."""

import pytest

from emulation_saas.access.use_cases import GrantRole, RegisterPerson
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.ids import PersonId, mint_person
from emulation_saas.streams.pages import Page, read_page
from emulation_saas.streams.refusals import CursorBeyondHead
from emulation_saas.streams.sights import Selection, Sight
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
