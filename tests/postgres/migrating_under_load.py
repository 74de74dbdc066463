"""`python -m tests.postgres.migrating_under_load`: how long appends stand still behind a migration that waits.

Callers append to one province all the time. Somebody reads `events` in a transaction that stays open; meanwhile a
migration adds a column to that table, and a second one builds an index on it. Once with the runner as it is, once with
a mutant that waits for its lock as long as it takes. A pause is the time between two answers to callers.

Exit status: 0 if the longest pause is at most 250 ms and the mutant's is longer; else 1.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path
from time import monotonic
from typing import Final
from unittest.mock import patch
from uuid import uuid4

import msgspec

from emulation_saas.postgres import migrating
from emulation_saas.postgres.migrating import migrate
from tests.database import Server, drop_database, fresh_database, start_database, superuser
from tests.logs import Opened, open_province, register, running_logs

PAUSE_MAX_MS: Final = 250
CALLERS: Final = 8
SETTLING_S: Final = 0.5
MIGRATIONS: Final = {
    "9998_pre_column.sql": "ALTER TABLE events ADD COLUMN remark text;",
    "9999_pre_index.sql": "CREATE INDEX CONCURRENTLY IF NOT EXISTS events_by_remark ON events (province_id, remark);",
}


class Measured(msgspec.Struct, frozen=True):
    """What a run showed."""

    who: str
    lock_timeout_ms: int
    reader_s: float
    answers: int
    tries: int
    longest_pause_ms: int


@dataclass
class _Answers:
    """When callers were answered."""

    count: int = 0
    last: float = field(default_factory=monotonic)
    longest_s: float = 0.0

    def add(self) -> None:
        """Note an answer that came now."""
        now = monotonic()
        self.count, self.longest_s, self.last = self.count + 1, max(self.longest_s, now - self.last), now


async def measure(server: Server, *, reader_s: float, lock_timeout_ms: int, who: str) -> Measured:
    """Run the migrations under load behind a reader that stays for so many seconds."""
    url = await fresh_database(server)
    folder = Path(tempfile.mkdtemp(prefix="emulation-migrations-"))
    said: list[str] = []
    try:
        _write_migrations(folder)
        async with running_logs(url) as logs, _load(await open_province(logs)) as answers:
            reading = asyncio.create_task(_read(server, url.partition("?")[0].rpartition("/")[2], reader_s))
            await asyncio.sleep(0.1)
            with patch.object(migrating, "LOCK_TIMEOUT_MS", lock_timeout_ms):
                await migrate(url, said.append, directory=folder)
            await reading
            await asyncio.sleep(SETTLING_S)
    finally:
        shutil.rmtree(folder)
        await drop_database(server, url)
    tries = 1 + sum(line.endswith("waits for a lock") for line in said)
    return Measured(who, lock_timeout_ms, reader_s, answers.count, tries, round(answers.longest_s * 1000))


def _write_migrations(folder: Path) -> None:
    with as_file(files("emulation_saas.postgres") / "migrations") as released:
        for path in released.glob("*.sql"):
            shutil.copy(path, folder)
    for name, script in MIGRATIONS.items():
        (folder / name).write_text(script, encoding="utf-8")


@asynccontextmanager
async def _load(province: Opened) -> AsyncGenerator[_Answers]:
    """Append from many callers until the end; a caller that fails ends the whole."""
    ended = asyncio.Event()
    answers: _Answers

    async def call() -> None:
        while not ended.is_set():
            key = str(uuid4())
            await province.log.execute(register(f"a-{key[:18]}"), by=province.acting(key))
            answers.add()

    async with asyncio.TaskGroup() as callers:
        answers = _Answers()
        for _ in range(CALLERS):
            callers.create_task(call())
        await asyncio.sleep(SETTLING_S)  # the first command of all reads what it has to know
        answers.longest_s = 0.0
        try:
            yield answers
        finally:
            ended.set()


async def _read(server: Server, name: str, seconds: float) -> None:
    async with superuser(server, name) as connection, connection.transaction():
        await connection.fetchval("SELECT count(*) FROM events")
        await asyncio.sleep(seconds)


def main() -> int:
    """Measure both, print a table, and judge."""
    parser = argparse.ArgumentParser(prog="python -m tests.postgres.migrating_under_load", description=__doc__)
    parser.add_argument("--reader", type=float, default=5.0, help="for how many seconds somebody reads the table")
    parser.add_argument("--json", action="store_true", help="print for a machine")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="emulation-under-load-"))
    folder.chmod(0o755)
    server = start_database(folder)
    try:
        runs = [
            asyncio.run(measure(server, reader_s=options.reader, lock_timeout_ms=timeout_ms, who=who))
            for who, timeout_ms in (("the runner", migrating.LOCK_TIMEOUT_MS), ("a mutant without lock_timeout", 0))
        ]
    finally:
        server.stop()
        shutil.rmtree(folder)
    if options.json:
        sys.stdout.write(msgspec.json.encode(runs).decode() + "\n")
    else:
        sys.stdout.write(f"a reader holds the table for {options.reader} s; {CALLERS} callers append\n")
        sys.stdout.writelines(
            f"{run.who:30} longest pause {run.longest_pause_ms:5} ms, {run.tries:2} tries, {run.answers} appends\n"
            for run in runs
        )
    real, mutant = runs
    return 0 if real.longest_pause_ms <= PAUSE_MAX_MS < mutant.longest_pause_ms else 1


if __name__ == "__main__":
    sys.exit(main())
