"""A worker is ready as long as its database answers and its loops move, however many requests wait."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.postgres.server import APP_ROLE, CONNECTIONS_MAX
from tests.database import superuser
from tests.privacy.living import HERE, alive, pledged

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'"
LOCKED = "LOCK TABLE documents IN ACCESS EXCLUSIVE MODE"


async def test_worker_is_ready_while_all_connections_of_its_requests_wait(
    server: EmbeddedPostgres, database_url: str, tmp_path: Path
) -> None:
    name = urlsplit(database_url).path.removeprefix("/")
    connections = CONNECTIONS_MAX[APP_ROLE] - 1  # one listens
    async with pledged(database_url, tmp_path) as living:
        async with superuser(server, name) as root, superuser(server) as watching:
            async with root.transaction():
                await root.execute(LOCKED)
                reads = [asyncio.create_task(living.ask(f"{HERE}/agencies")) for _ in range(2 * connections)]
                async with asyncio.timeout(10):
                    while await watching.fetchval(WAITING, name) < connections:  # noqa: ASYNC110 - the database has no event for us
                        await asyncio.sleep(0.05)
                assert (await living.ask("/health/ready", sub="")).status_code == 200
            answers = await asyncio.gather(*reads)
        assert {answer.status_code for answer in answers} == {200}


async def test_worker_that_does_not_hear_of_what_is_new_is_not_ready(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with alive(database_url, tmp_path) as living:
        assert (await living.ask("/health/ready", sub="")).status_code == 200
        monkeypatch.setattr("emulation_saas.wiring.DEAF_S", -1.0)
        answer = await living.ask("/health/ready", sub="")
        assert (answer.status_code, answer.json()["detail"]) == (503, "heads stalled")
        assert (await living.ask("/health/live", sub="")).status_code == 200
