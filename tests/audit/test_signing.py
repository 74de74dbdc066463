"""The signer: two of it say the same, and none signs what contradicts what was signed before."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from emulation_saas.audit.refusals import LogForked
from emulation_saas.audit.signing import Signer
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log.frontier import Frontier, leaf_hash
from emulation_saas.log.tree import SizeBeyondHead
from emulation_saas.postgres.database import open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.audit.auditing import HERE, Service, operator_with_all_rights, serving
from tests.audit.contested import CORRECTED, YEAR, played
from tests.audit.test_log_routes import read_note
from tests.logs import register, running_logs

REWRITE = "UPDATE events SET body = convert_to(replace(convert_from(body, 'UTF8'), 'so-2', 'so-3'), 'UTF8')"
REHASH = "UPDATE events SET leaf_hash = sha256('\\x00'::bytea || body)"


async def grow(service: Service, first: int, last: int) -> None:
    for number in range(first, last + 1):
        await service.log.execute(register(f"so-{number}"), by=Acting(await admin(service)))


async def admin(service: Service) -> Any:  # noqa: ANN401 - a person's id
    recorded = await service.log.recorded(after=3, through=4)
    return recorded[0].event.person


async def test_two_workers_sign_the_same_bytes(database_url: str, tmp_path: Path) -> None:
    async with (
        serving(database_url, tmp_path, filled=False) as service,
        open_database(database_url) as other,
        running_logs(database_url) as their_logs,
    ):
        theirs = await their_logs.find("bac-song")
        assert theirs is not None
        second = Signer(other)
        for number in range(1, 9):
            await grow(service, number, number)
            size = (await service.log.head()).position
            notes = await asyncio.gather(
                *(signer.note(log, size) for signer, log in [(service.signer, service.log), (second, theirs)] * 2)
            )
            assert len(set(notes)) == 1
            assert notes[0].splitlines()[1] == str(size)
        async with service.database.in_province_keys(service.log.province) as connection:
            sizes = await connection.fetch("SELECT size FROM sealing.signed_heads ORDER BY size")
        assert [row["size"] for row in sizes] == list(range(6, 14))


async def test_a_growing_log_is_signed_once_a_second_and_at_once_for_who_asks(
    database_url: str, tmp_path: Path
) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        first = await service.signer.newest(service.log)
        await grow(service, 1, 3)
        assert await service.signer.newest(service.log) == first
        assert (await service.signer.covering(service.log, first.size)) == first
        assert (await service.signer.covering(service.log, first.size + 1)).size == first.size + 3
        await grow(service, 4, 4)
        await asyncio.sleep(1.05)
        assert (await service.signer.newest(service.log)).size == first.size + 4


async def test_the_loop_signs_and_builds_tiles_while_the_log_grows(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        running = asyncio.create_task(service.signer.run(service.logs))
        await grow(service, 1, 260)
        size = (await service.log.head()).position
        async with asyncio.timeout(15):
            while True:
                async with service.database.in_province(service.log.province) as connection:
                    tiles = await connection.fetchval("SELECT count(*) FROM tree_tiles")
                async with service.database.in_province_keys(service.log.province) as connection:
                    signed = await connection.fetchval("SELECT max(size) FROM sealing.signed_heads")
                if (tiles, signed) == (1, size):
                    break
                await asyncio.sleep(0.1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_beyond_the_head_nothing_is_signed(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        head = (await service.log.head()).position
        await service.signer.newest(service.log)
        for size in (head + 1, head + 1000):
            with pytest.raises(SizeBeyondHead):
                await service.signer.note(service.log, size)


async def test_a_rewritten_event_is_not_signed(server: EmbeddedPostgres, database_url: str, tmp_path: Path) -> None:
    """The bytes alone; the bytes and the leaf hash; the bytes, the leaf hash, and a head that fits them."""
    async with serving(database_url, tmp_path, filled=False) as service:
        signed = await service.signer.newest(service.log)
        await grow(service, 1, 3)
        head = await service.log.head()
        async with operator_with_all_rights(server, database_url) as connection:
            before = await connection.fetch("SELECT position, body, leaf_hash FROM events")
            for rewriting in (REWRITE, f"{REWRITE}; {REHASH}"):
                await connection.execute(rewriting)
                for ask in (service.signer.covering(service.log, head.position), service.signer.note(service.log, 6)):
                    with pytest.raises(LogForked):
                        await ask
                await connection.executemany(
                    "UPDATE events SET body = $2, leaf_hash = $3 WHERE position = $1", [tuple(row) for row in before]
                )
            # And once it is as it was, it is signed.
            assert (await service.signer.covering(service.log, head.position)).root == head.root
            assert signed.size < head.position


async def test_a_forged_head_over_what_was_signed_is_refused(
    server: EmbeddedPostgres, database_url: str, tmp_path: Path
) -> None:
    """Everything rewritten consistently, an event before the last signed head included."""
    async with serving(database_url, tmp_path, filled=False) as service:
        await grow(service, 1, 3)
        await service.signer.covering(service.log, (await service.log.head()).position)
        await grow(service, 4, 4)
        async with operator_with_all_rights(server, database_url) as connection:
            await connection.execute(f"{REWRITE}; {REHASH}")
            frontier = Frontier()
            for row in await connection.fetch("SELECT body FROM events ORDER BY position"):
                frontier.append(leaf_hash(row["body"]))
            await connection.execute("UPDATE log_head SET root = $1, frontier = $2", frontier.root(), frontier.peaks)
        answer = await service.get(f"/log/checkpoints/{frontier.size}")
        assert (answer.status_code, answer.json()["code"]) == (503, "log-forked")
        assert answer.headers["retry-after"] == "60"
        older = await service.get("/log/checkpoints/6")
        assert (older.status_code, older.json()["code"]) == (503, "log-forked")


async def test_a_leaf_changed_below_the_signed_head_is_neither_proved_nor_exported(
    server: EmbeddedPostgres, database_url: str, tmp_path: Path
) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        await played(service)
        signed = await service.signer.newest(service.log)
        asked = ("/events/4.tlog-proof", "/log/export", f"{YEAR}/disputes/{CORRECTED}/dossier")
        for path in asked:
            assert (await service.get(path)).status_code == 200
        async with operator_with_all_rights(server, database_url) as connection:
            await connection.execute("UPDATE events SET leaf_hash = sha256('other') WHERE position = 3")
        for path in asked:
            answer = await service.get(path)
            assert (answer.status_code, answer.json()["code"]) == (503, "log-forked"), path
        assert await service.signer.covering(service.log, 4) == signed, "what was signed stays signed"


async def test_a_restored_backup_is_not_signed_until_what_is_missing_is_back(
    server: EmbeddedPostgres, database_url: str, tmp_path: Path
) -> None:
    tables = ("events", "event_tags", "log_head")
    async with serving(database_url, tmp_path, filled=False) as service:
        await grow(service, 1, 2)
        async with operator_with_all_rights(server, database_url) as connection:
            for table in tables:
                await connection.execute(f"CREATE TABLE old_{table} AS TABLE {table}")
        await grow(service, 3, 4)
        signed = await service.signer.covering(service.log, (await service.log.head()).position)
        async with operator_with_all_rights(server, database_url) as connection:
            for table in tables:
                await connection.execute(f"CREATE TABLE new_{table} AS TABLE {table}; TRUNCATE {table}")
                await connection.execute(f"INSERT INTO {table} TABLE old_{table}")
            async with serving(database_url, tmp_path) as restarted:  # it grows differently, past what was signed
                await asyncio.sleep(1.05)  # what was signed a moment ago would be answered without looking further
                with capture_logs() as logged, pytest.raises(LogForked):
                    await restarted.signer.newest(restarted.log)
                with pytest.raises(LogForked):
                    await restarted.signer.note(restarted.log, signed.size - 1)
                answer = await restarted.get("/log/checkpoint")
                assert (answer.status_code, answer.json()["code"]) == (503, "log-forked")
                receipt = await restarted.client.post(
                    f"{HERE}/agencies",
                    json={"agency": "so-9", "name": "Sở 9", "aliases": [], "effective_on": "2020-01-01"},
                    headers={"prefer": "receipt"},
                )
                assert receipt.status_code == 201, "an accepted command is answered, receipt or not"
                assert "receipt" not in receipt.json()
            assert [line["event"] for line in logged if line["log_level"] == "error"] == ["log-forked"]
            for table in tables:
                await connection.execute(f"TRUNCATE {table}; INSERT INTO {table} TABLE new_{table}")
        async with serving(database_url, tmp_path, filled=False) as recovered:
            assert (await recovered.signer.newest(recovered.log)).note == signed.note


async def test_a_log_behind_what_was_signed_is_a_fork(
    server: EmbeddedPostgres, database_url: str, tmp_path: Path
) -> None:
    async with serving(database_url, tmp_path, filled=False) as service:
        head = await service.log.head()
        await grow(service, 1, 2)
        await service.signer.covering(service.log, head.position + 2)
        async with operator_with_all_rights(server, database_url) as connection:
            await connection.execute("DELETE FROM events WHERE position > $1", head.position)
            await connection.execute(
                "UPDATE log_head SET position = $1, root = $2, frontier = $3",
                head.position,
                head.root,
                head.frontier,
            )
        with capture_logs() as logged:
            for ask in (
                service.signer.newest(service.log),
                service.signer.note(service.log, 3),
                service.signer.covering(service.log, head.position + 3),
            ):
                with pytest.raises(LogForked):
                    await ask
        assert len([line for line in logged if line["event"] == "log-forked"]) == 1, "it is said once"
        vkey = (await service.get("/log/vkey")).text
        kept = await service.signer.note(service.log, head.position + 2)
        assert read_note(kept, vkey)[0] == head.position + 2, "what was signed stays signed"
