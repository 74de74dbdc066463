"""The example of the README against the real service: followed, killed, taken up where it was."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec

from tests.projections.live import eventually
from tests.streams.stage import PROVINCE, Stage, staged


def program(url: str, province: str, kept: Path) -> list[str]:
    return [sys.executable, "-m", "emulation_saas.client", url, province, str(kept)]


def environment(token: str) -> dict[str, str]:
    return {**os.environ, "TOKEN": token, "NO_PROXY": "127.0.0.1"}


def run(command: list[str], token: str) -> "subprocess.CompletedProcess[str]":
    env = environment(token)
    return subprocess.run(command, env=env, check=False, capture_output=True, text=True, timeout=30)


@contextmanager
def following(stage: Stage, token: str, kept: Path, out: Path) -> Generator["subprocess.Popen[bytes]"]:
    """Run the program; what it writes is added to a file."""
    url = f"http://127.0.0.1:{stage.port}"
    command, env = program(url, PROVINCE, kept), environment(token)
    # What runs in the background ignores SIGINT, and so would what it starts.
    heeding = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with out.open("ab") as output, subprocess.Popen(command, env=env, stdout=output, preexec_fn=heeding) as process:  # noqa: PLW1509
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


async def test_program_that_is_refused_says_why_in_one_line(database_url: str, tmp_path: Path) -> None:
    kept = tmp_path / "position"
    async with staged(database_url) as stage:
        head, token, url = (await stage.log.head()).position, await stage.token(), f"http://127.0.0.1:{stage.port}"
        for address, province, bearer, place, told in (
            (url, PROVINCE, "no-token", "0", "UnauthorizedError: 401 unknown-caller: "),
            (f"{url}/v1", PROVINCE, token, "0", "RefusedError: 404 "),
            (url, "nowhere", token, "0", "RefusedError: 404 "),
            (url, PROVINCE, token, str(head + 1), "CursorBeyondHeadError: "),
            (url, PROVINCE, token, "", f"ValueError: {kept} holds no position"),
            (url, PROVINCE, token, "-1", f"ValueError: {kept} holds no position"),
        ):
            kept.write_text(place, encoding="utf-8")
            done = await asyncio.to_thread(run, program(address, province, kept), bearer)
            assert (done.returncode, done.stderr.count("\n"), done.stdout) == (1, 1, ""), done.stderr
            assert done.stderr.startswith(told)
            assert kept.read_text(encoding="utf-8") == place


async def test_program_that_is_interrupted_ends_without_a_word(database_url: str, tmp_path: Path) -> None:
    kept, out = tmp_path / "position", tmp_path / "events.ndjson"
    async with staged(database_url) as stage:
        with following(stage, await stage.token(), kept, out) as process:
            await eventually(lambda: has_lines(out, 1), "it did not begin")
            process.send_signal(signal.SIGINT)
            assert await asyncio.to_thread(process.wait, 20) == 130
