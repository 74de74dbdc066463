"""A process that keeps documents up is gone, or hangs, in the middle of a batch: another goes on within 5 s."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Final

import pytest

from emulation_saas.kernel.events import AnyRecorded
from emulation_saas.postgres.database import open_database
from emulation_saas.projecting import Runner
from emulation_saas.projecting.projection import AnyProjection
from emulation_saas.projecting.rebuild import rebuild
from emulation_saas.projecting.storing import Checkpoints, Store
from projections import PROJECTIONS
from tests.logs import running_logs
from tests.projections.live import place, running, told

TAKEN_OVER_MAX_S: Final = 5.0
"""Without `be_heard` it would be 30 s."""
AT_WORK: Final = "at work"


class _Halting(Runner):
    """Says so once a batch is in its hands, and goes no further."""

    async def _fold_into(
        self, store: Store, behind: Sequence[AnyProjection], reached: Checkpoints, batch: Sequence[AnyRecorded]
    ) -> None:
        await super()._fold_into(store, behind, reached, batch)
        sys.stdout.write(f"{AT_WORK}\n")
        sys.stdout.flush()
        while True:
            await store.be_heard()
            await asyncio.sleep(0.1)


async def halt(url: str) -> None:
    """Be a process that takes a batch and does not give it back."""
    async with running_logs(url) as logs, open_database(url) as database:
        await _Halting(logs, database, PROJECTIONS).run()


async def halt_rebuilding(url: str) -> None:
    """Be a process that hangs while it puts rebuilt documents in place."""

    async def halting(self: Store, projection: AnyProjection) -> None:  # noqa: ARG001 - as it is called
        sys.stdout.write(f"{AT_WORK}\n")
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGSTOP)

    Store.forget = halting  # type: ignore[method-assign]
    async with running_logs(url) as logs, open_database(url) as database:
        await rebuild((await logs.all())[0], database, PROJECTIONS[0])


@asynccontextmanager
async def halted(url: str, what: str) -> AsyncGenerator["asyncio.subprocess.Process"]:
    """Lend a process that is at work on a database, and goes no further."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.projections.test_taking_over", url, what), stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def at_work(process: "asyncio.subprocess.Process") -> None:
    assert process.stdout is not None
    assert (await asyncio.wait_for(process.stdout.readline(), 20)).decode().strip() == AT_WORK


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP], ids=["gone", "hung"])
async def test_batch_of_a_process_that_is_gone_or_hangs_is_taken_over(database_url: str, end: signal.Signals) -> None:
    async with place(database_url) as there:
        async with running(there):
            await there.reached((await there.log.head()).position)
        async with halted(database_url, "batch") as process:
            position = await there.tell(*told(1, steps=20))
            await at_work(process)
            os.kill(process.pid, end)
            began = monotonic()
            async with running(there):
                await there.reached(position)
            assert monotonic() - began < TAKEN_OVER_MAX_S


async def test_documents_go_on_though_a_process_hangs_while_it_rebuilds_them(database_url: str) -> None:
    async with place(database_url) as there:
        async with running(there):
            await there.reached((await there.log.head()).position)
        async with halted(database_url, "rebuild") as process:
            await at_work(process)
            position = await there.tell(*told(1, steps=20))
            began = monotonic()
            async with running(there):
                await there.reached(position)
            assert monotonic() - began < TAKEN_OVER_MAX_S


if __name__ == "__main__":
    asyncio.run({"batch": halt, "rebuild": halt_rebuilding}[sys.argv[2]](sys.argv[1]))
