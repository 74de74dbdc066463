"""The example of the README against the real service: followed, killed, taken up where it was."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tests.projections.live import eventually
from tests.streams.stage import PROVINCE, Stage, staged


@contextmanager
def following(stage: Stage, token: str, kept: Path, out: Path) -> Generator["subprocess.Popen[bytes]"]:
    """Run the program; what it writes is added to a file."""
    url = f"http://127.0.0.1:{stage.port}"
    program = [sys.executable, "-m", "emulation_saas.client", url, PROVINCE, str(kept)]
    env = {**os.environ, "TOKEN": token, "NO_PROXY": "127.0.0.1"}
    with out.open("ab") as output, subprocess.Popen(program, env=env, stdout=output) as process:
        try:
            yield process
        finally:
            process.kill()


async def has_lines(out: Path, number: int) -> bool:
    return (await asyncio.to_thread(out.read_bytes)).count(b"\n") >= number


async def is_kept(position: int, kept: Path) -> bool:
    return await asyncio.to_thread(kept.read_text) == str(position)


async def test_program_goes_on_where_it_was_killed(database_url: str, tmp_path: Path) -> None:
    kept, out = tmp_path / "position", tmp_path / "events.ndjson"
    async with staged(database_url) as stage:
        head = (await stage.log.head()).position
        token = await stage.token()
        with following(stage, token, kept, out) as first:
            await eventually(lambda: has_lines(out, head), "it did not come to the head")
            await stage.write(16, followed_to=lambda: head)
            await eventually(lambda: has_lines(out, head + 5), "it did not go on")
            first.send_signal(signal.SIGKILL)
        await stage.write(16, followed_to=lambda: head)
        last = (await stage.log.head()).position
        with following(stage, token, kept, out):
            await eventually(lambda: is_kept(last, kept), "it did not come to the end")
        written = (await asyncio.to_thread(out.read_bytes)).splitlines()
        positions = [int(msgspec.json.decode(line)["id"]) for line in written]
        assert sorted(set(positions)) == [*range(1, last + 1)]
        assert len(positions) <= last + 1, "more than the one event that it died with came again"
        assert set(written) == {entry.body for entry in await stage.entries()}
