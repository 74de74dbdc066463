"""Server-Sent Events: from any position to the head and on, each position once, however the stream was cut."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Final

import pytest

from emulation_saas.access.events import RoleGranted, RoleRevoked
from emulation_saas.kernel.ids import PersonId
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.scoring.events import ScoreAppraised
from emulation_saas.streams import sse, tails
from tests.audit.auditing import ROLES, Service, operator_with_all_rights, serving
from tests.builders import SAMPLES
from tests.http.notebook import token
from tests.logs import ISSUER
from tests.streams.listening import EVENTS, Block, app_of, blocks_of, listening, positions_in
from tests.streams.test_feed import add_agency, shown_to

HEAD: Final = b"event: head\n"
END: Final = b"event: end\n"


def ended(body: bytes) -> object:
    """Return why a stream ended."""
    last = blocks_of(body)[-1]
    assert last.event == "end"
    return last.data["reason"]


async def test_every_role_is_sent_what_it_may_see_and_then_what_is_new(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        for role in ROLES:
            head = (await service.log.head()).position
            shown = await shown_to(service, role)
            async with listening(service, role) as listener:
                await listener.hears(HEAD)
                assert listener.headers["content-type"].startswith("text/event-stream")
                assert listener.headers["cache-control"] == "no-store"
                assert listener.headers["x-accel-buffering"] == "no"
                assert listener.headers["log-head"] == str(head)
                assert listener.body.startswith(b"retry: 3000\n\n")
                blocks = listener.blocks()
                assert [block.id for block in blocks[: len(shown)]] == [entry.position for entry in shown], role
                assert [block.event for block in blocks[: len(shown)]] == [entry.type for entry in shown]
                assert all(b"\ndata: " + entry.body + b"\n\n" in listener.body for entry in shown)
                assert blocks[len(shown) :] == [Block(None, "head", {"head": head})]
                position = await add_agency(service, f"so-{head}")
                await listener.hears(b"id: %d\n" % position)
                assert listener.blocks()[-1].event == "agency.registered.v1"
                assert listener.body.count(HEAD) == 1


async def test_stream_is_taken_up_again_after_the_last_event(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        head = (await service.log.head()).position
        async with listening(service, "admin@bac-song", after=1, last_event_id=str(head - 1)) as listener:
            await listener.hears(HEAD)
            assert listener.positions() == [head]
        async with listening(service, "admin@bac-song", lastEventId=2, last_event_id="") as listener:
            await listener.hears(HEAD)
            assert listener.positions() == list(range(3, head + 1))
        for wrong, code in {"x": "invalid-cursor", "-1": "invalid-cursor", "9" * 16: "invalid-cursor"}.items():
            async with listening(service, "admin@bac-song", last_event_id=wrong) as listener:
                assert (listener.status, code.encode() in listener.body) == (422, True), wrong
        async with listening(service, "admin@bac-song", last_event_id=str(head + 1)) as listener:
            assert (listener.status, b"cursor-beyond-head" in listener.body) == (422, True)
        pages = await service.client.get(EVENTS, headers={"last-event-id": str(head)})
        assert len(pages.json()) == head, "of pages, the address alone says where they begin"


@pytest.mark.parametrize("kept_bytes", [0, 3_000, 10**6])
async def test_resumed_after_any_cut_each_position_comes_once(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept_bytes: int
) -> None:
    """Cut after any byte, while events are recorded; whether they come from memory or from the database."""
    monkeypatch.setattr(tails, "KEPT_BYTES_MAX", kept_bytes)
    random = Random(kept_bytes)  # noqa: S311 - the same cuts each time
    async with serving(database_url, tmp_path) as service:
        for role in ("auditor", "integrator"):
            heard: list[int] = []
            last: str | None = None
            for cut in range(12):
                position = await add_agency(service, f"so-{role}-{cut}")
                async with listening(service, role, last_event_id=last) as listener:
                    await listener.hears(b"id: %d\n" % position)
                    body = listener.body[: random.randrange(len(listener.body) + 1)]
                heard += positions_in(body)
                ids = [block.id for block in blocks_of(body) if block.id is not None]
                last = str(ids[-1]) if ids else last
            async with listening(service, role, last_event_id=last) as listener:
                await listener.hears(HEAD)
                heard += listener.positions()
            assert heard == [entry.position for entry in await shown_to(service, role)], role


async def test_reader_learns_how_far_was_looked_where_nothing_is_shown(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        head = (await service.log.head()).position
        async with listening(service, "integrator", after=head) as listener:
            await listener.hears(HEAD)
            await service.tell(*[SAMPLES[ScoreAppraised]] * 60)
            position = await service.tell(*[SAMPLES[ScoreAppraised]] * 60)
            await listener.hears(b"id: %d\n\n" % position)
            assert [block for block in listener.blocks() if block.data is None] == [Block(position, None, None)]
            assert listener.positions() == []


async def test_reader_learns_at_the_head_how_far_was_looked(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        head = (await service.log.head()).position
        position = await service.tell(SAMPLES[ScoreAppraised])
        async with listening(service, "integrator", after=head) as listener:
            await listener.hears(HEAD)
            assert listener.blocks() == [Block(position, None, None), Block(None, "head", {"head": position})]


async def test_stream_ends_where_it_was_told_to(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        shown = [entry.position for entry in await shown_to(service, "auditor")]
        async with listening(service, "auditor", after=2, through=9) as listener:
            await listener.hears(END)
            assert listener.positions() == [position for position in shown if 2 < position <= 9]
            assert ended(listener.body) == "complete"
        async with listening(service, "auditor", limit=5) as listener:
            await listener.hears(END)
            assert listener.positions() == shown[:5]
            assert ended(listener.body) == "complete"
        head = (await service.log.head()).position
        async with listening(service, "auditor", after=head, limit=1, types="agency.*") as listener:
            await listener.hears(HEAD)
            position = await add_agency(service, "so-moi")
            await listener.hears(END)
            assert listener.positions() == [position]


async def test_something_is_sent_while_nothing_happens(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (sse, tails):
        monkeypatch.setattr(module, "TURN_S", 0.05)
    monkeypatch.setattr(sse, "PING_S", 0.2)
    async with (
        serving(database_url, tmp_path, filled=False) as service,
        listening(service, "admin@bac-song") as listener,
    ):
        await listener.until(lambda heard: heard.body.count(b": ping\n\n") >= 3)


async def test_stream_ends_in_time_for_a_new_token(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tails, "TURN_S", 0.05)
    monkeypatch.setattr(sse, "TURN_S", 0.5)  # how long before; a busy machine is late by less
    async with serving(database_url, tmp_path, filled=False) as service:
        expires_at = int(time.time()) + 3
        short = {"authorization": f"Bearer {token('admin@bac-song', iss=ISSUER, exp=expires_at)}"}

        def by(_service: Service, _role: str) -> dict[str, str]:
            return short

        monkeypatch.setattr(Service, "by", by)
        async with listening(service, "admin@bac-song") as listener:
            await listener.hears(END)
            assert ended(listener.body) == "time"
            assert time.time() < expires_at
        monkeypatch.undo()
        for module in (sse, tails):
            monkeypatch.setattr(module, "TURN_S", 0.05)
        monkeypatch.setattr(sse, "STREAM_MIN_S", 0.3)
        monkeypatch.setattr(sse, "STREAM_MAX_S", 0.4)
        async with listening(service, "admin@bac-song") as listener:
            await listener.hears(END)
            assert ended(listener.body) == "time"


async def test_stream_of_who_loses_his_last_role_ends_while_nothing_else_happens(
    database_url: str, tmp_path: Path
) -> None:
    async with serving(database_url, tmp_path) as service:
        person = await _person(service, "integrator")
        async with listening(service, "integrator") as listener, listening(service, "auditor") as other:
            await listener.hears(HEAD)
            revoked = await service.tell(RoleRevoked(person=person, role="integrator"))
            await listener.hears(END)
            assert ended(listener.body) == "revoked"
            assert revoked not in listener.positions(), "judged by the powers that it left"
            await other.hears(b"id: %d\n" % revoked)
            assert END not in other.body
        assert (await service.get("/events", "integrator")).status_code == 404


async def test_new_powers_show_more_from_then_on(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service:
        person = await _person(service, "integrator")
        async with listening(service, "integrator") as listener:
            await listener.hears(HEAD)
            hidden = await service.tell(SAMPLES[ScoreAppraised])
            passed = await add_agency(service, "so-moi")
            await listener.hears(b"id: %d\n" % passed)
            await service.tell(RoleGranted(person=person, role="council-member"))
            shown = await service.tell(SAMPLES[ScoreAppraised])
            await listener.hears(b"id: %d\n" % shown)
            assert hidden not in listener.positions()


async def test_missing_position_ends_the_stream_aloud(
    server: EmbeddedPostgres, database_url: str, tmp_path: Path
) -> None:
    async with serving(database_url, tmp_path) as service:
        head = (await service.log.head()).position
        async with operator_with_all_rights(server, database_url) as root:
            await root.execute("DELETE FROM events WHERE position = $1", head - 3)
        async with listening(service, "auditor") as listener:
            await listener.hears(END)
            assert ended(listener.body) == "gap"
        async with listening(service, "auditor", after=head - 2) as listener:
            await listener.hears(HEAD)
            async with operator_with_all_rights(server, database_url) as root:
                await root.execute("UPDATE log_head SET position = position + 2")
            await listener.hears(END)
            assert ended(listener.body) == "gap"


async def test_missing_end_of_the_log_ends_the_stream_aloud(
    server: EmbeddedPostgres, database_url: str, tmp_path: Path
) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        head = (await service.log.head()).position
        async with operator_with_all_rights(server, database_url) as root:
            await root.execute("DELETE FROM events WHERE position = $1", head)
        async with listening(service, "admin@bac-song", after=head - 1) as listener:
            await listener.hears(END)
            assert ended(listener.body) == "gap"


async def test_powers_are_judged_after_waiting_for_a_turn_to_read(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service, AsyncExitStack() as stack:
        person = await _person(service, "council-member")
        tail = await service.tails.follow(service.log)
        for _ in range(tails.READING_AT_ONCE - 1):  # as many as one province has
            await stack.enter_async_context(tail.reading())
        async with listening(service, "council-member") as listener:
            await asyncio.sleep(0.5)
            revoked = await service.tell(RoleRevoked(person=person, role="council-member"))
            while tail.position < revoked:
                await tail.turned()
            await stack.aclose()
            await listener.hears(END)
            assert ended(listener.body) == "revoked"
            assert listener.positions() == []
        tail.left()


async def test_stream_ends_at_once_when_the_service_stops(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as service, listening(service, "integrator") as listener:
        await listener.hears(HEAD)
        app_of(service).drain()
        await listener.hears(END)
        assert ended(listener.body) == "stopping"
        async with listening(service, "integrator") as later:
            await later.hears(END)


async def _person(service: Service, sub: str) -> PersonId:
    person = await service.log.person_of(ISSUER, sub)
    assert person is not None
    return person
