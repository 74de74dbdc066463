"""Votes at a pace, whatever becomes of those before: one process of callers, told its jobs on stdin, one a line.

Each vote has a moment at which it is due; its time is counted from then, so one that had to wait for its connection, or
for this process, counts as having waited. At no pace, each connection votes as soon as it was answered.
"""

import asyncio
import secrets
import sys
from collections import Counter
from time import perf_counter
from typing import Final

import msgspec
import uvloop

from tests.bench.load import Sender, vote_request
from tests.bench.world import OPTIONS

_CREATED: Final = 201
_TOO_MANY: Final = 429


class Job(msgspec.Struct, frozen=True):
    """Which votes to send: so many a second of all senders together; 0: as fast as they are answered."""

    port: int
    path: str
    senders: list[Sender]
    per_s: float
    seconds: float
    delay: float = 0.0
    """Of all votes, in parts of the time between two: so that jobs that are told together do not vote in step."""


class Outcome(msgspec.Struct, frozen=True):
    """What came of the jobs that were told together."""

    accepted: int
    refused: int
    """By 429."""
    others: dict[str, int]
    p50_ms: float
    p99_ms: float
    """Of the accepted; 0 where there is none."""
    took_s: float
    """Until the last answer."""


class _Callers:
    """Sends the votes of one job."""

    def __init__(self, job: Job, times_s: list[float], answers: Counter[int]) -> None:
        self._job = job
        self._times_s = times_s
        self._answers = answers

    async def run(self) -> None:
        """Vote by every sender, each over a connection of its own, for as long as the job says; all are open before."""
        connections = [await asyncio.open_connection("127.0.0.1", self._job.port) for _ in self._job.senders]
        began = perf_counter()
        await asyncio.gather(*(self._vote(began, place, *each) for place, each in enumerate(connections)))

    async def _vote(self, began: float, place: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        job = self._job
        every_s = len(job.senders) / job.per_s if job.per_s else 0.0
        prepared = [vote_request(job.path, job.senders[place], option) for option in OPTIONS]
        run, number = secrets.token_hex(6), 0
        due = began + every_s * (place + job.delay) / len(job.senders)
        while due < began + job.seconds:
            await asyncio.sleep(max(0.0, due - perf_counter()))
            head, body = prepared[number % len(OPTIONS)]
            writer.write(b"%b%b-%d-%d\r\n\r\n%b" % (head, run.encode(), place, number, body))
            status = await _answer(reader)
            self._answers[status] += 1
            if status == _CREATED:
                self._times_s.append(perf_counter() - due)
            number += 1
            due = due + every_s if every_s else perf_counter()
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> int:
    """Read one answer whole; return its status."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.partition(b"content-length: ")[2].partition(b"\r")[0])
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])


async def send(jobs: list[Job]) -> Outcome:
    """Send the votes of several jobs at once."""
    times_s: list[float] = []
    answers: Counter[int] = Counter()
    began = perf_counter()
    await asyncio.gather(*(_Callers(job, times_s, answers).run() for job in jobs))
    times_s.sort()
    return Outcome(
        accepted=answers.pop(_CREATED, 0),
        refused=answers.pop(_TOO_MANY, 0),
        others={str(status): count for status, count in answers.items()},
        p50_ms=times_s[len(times_s) // 2] * 1_000 if times_s else 0.0,
        p99_ms=times_s[len(times_s) * 99 // 100] * 1_000 if times_s else 0.0,
        took_s=perf_counter() - began,
    )


def main() -> int:
    """Do the jobs that come on stdin, a list a line, until it ends."""
    for line in sys.stdin.buffer:
        outcome = uvloop.run(send(msgspec.json.decode(line, type=list[Job])))
        sys.stdout.buffer.write(msgspec.json.encode(outcome) + b"\n")
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
