"""One process of callers: told its jobs on stdin, one a line, it says what it did on stdout."""

import asyncio
import sys
from time import perf_counter
from typing import Final, Literal
from uuid import uuid4

import msgspec
import uvloop

from emulation_saas.kernel.ids import BallotId
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import ProvinceLog, ProvinceLogs
from tests.bench.stock import Stock
from tests.bench.world import OPTIONS, Voter, World, vote
from tests.logs import running_logs

BALLOTS_A_PROCESS: Final = 2
"""Each process votes on ballots of its own, so that it knows which vote would change nothing."""


class Setting(msgspec.Struct, frozen=True):
    """What a process is told first."""

    number: int
    log_url: str
    stock_url: str
    worlds: list[World]


class Job(msgspec.Struct, frozen=True):
    """What to do: how many callers, for how long, in which provinces, by their numbers."""

    kind: Literal["log", "application", "dcb"]
    callers: int
    provinces: list[int]
    seconds: float


class Done(msgspec.Struct, frozen=True):
    """What was done."""

    events: int
    seconds: float


class _Caller:
    """Votes again and again, for one member on one ballot."""

    def __init__(self, log: ProvinceLog, voter: Voter, ballot: BallotId) -> None:
        self._log = log
        self._voter = voter
        self._ballot = ballot
        self._votes = 0

    async def call_until(self, until: float) -> int:
        """Vote until then; return how many votes were recorded."""
        before = self._votes
        while perf_counter() < until:
            use_case = vote(self._voter, self._ballot, OPTIONS[self._votes % len(OPTIONS)])
            accepted = await self._log.execute(use_case, by=Acting(self._voter.person, str(uuid4()), bytes(32)))
            assert len(accepted.events) == 1
            self._votes += 1
        return self._votes - before


async def _callers_of(logs: ProvinceLogs, world: World, process: int) -> list[_Caller]:
    log = await logs.find(world.province)
    assert log is not None
    first = process * BALLOTS_A_PROCESS
    ballots = world.ballots[first : first + BALLOTS_A_PROCESS]
    return [_Caller(log, voter, ballot) for ballot in ballots for voter in world.voters]


async def _vote(callers: list[list[_Caller]], job: Job) -> Done:
    """Vote from so many callers, spread over provinces."""
    many = len(job.provinces)
    chosen = [callers[job.provinces[number % many]][number // many] for number in range(job.callers)]
    began = perf_counter()
    counts = await asyncio.gather(*(caller.call_until(began + job.seconds) for caller in chosen))
    return Done(sum(counts), perf_counter() - began)


async def _serve() -> None:
    """Do the jobs; where they come from is waited for, as nothing else has to be done meanwhile."""
    setting = msgspec.json.decode(sys.stdin.buffer.readline(), type=Setting)
    stock = Stock(setting.stock_url)
    async with running_logs(setting.log_url) as logs:
        callers = [await _callers_of(logs, world, setting.number) for world in setting.worlds]
        # The first vote of each reads its facts.
        await asyncio.gather(*(caller.call_until(perf_counter() + 0.001) for each in callers for caller in each))
        _tell(b"ready")
        while line := await asyncio.to_thread(sys.stdin.buffer.readline):
            job = msgspec.json.decode(line, type=Job)
            if job.kind == "log":
                done = await _vote(callers, job)
            else:
                done = Done(*await asyncio.to_thread(stock.run, job.kind, job.callers, job.seconds))
            _tell(msgspec.json.encode(done))
    stock.close()


def _tell(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    uvloop.run(_serve())
