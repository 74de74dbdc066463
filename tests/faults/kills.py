"""Processes killed under load: a worker, the supervisor, one session of the database, the whole database.

Method
1. A real service: a supervisor, two workers, an embedded PostgreSQL with fsync on, in a data directory of its own.
2. Four clients send commands over HTTP, one after another, each with a key; who has no answer, or a 503, sends the same
   again with the same key until it has one; three in a hundred requests are abandoned on purpose. Any other answer, or
   one that takes 20 s, fails the experiment. Meanwhile somebody takes signed checkpoints.
3. Something is killed, at a random moment after at least so many more commands were answered.
4. The clients finish what they have begun, and some commands are sent once more with their keys: the answers must be
   the same, byte for byte. The service is stopped in order, and the log is judged past it (`ledger`), with all
   documents.
"""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from tests.bench import slow_flush
from tests.faults.load import Behaviour, Load, under_load
from tests.faults.trials import CLIENTS, Experiment, Outcome, Say, alter, chance, judged_in
from tests.postgres.processes import alive
from tests.serving import Served, children, command_line, descendants, served

ANSWERS_BETWEEN: Final = 25
MUTANT_CLIENTS: Final = 16
"""Of clients that repeat without keys: the more ask at once, the surer one is cut off between commit and answer."""
KILLS_BEFORE_RESTART: Final = 8
"""Workers killed before the service is started anew: each crash makes the supervisor wait longer before the next start,
up to 10 s, and most of an experiment would be waiting."""
PATIENCE_S: Final = 60.0

Kill = Callable[[Served, random.Random, int], Awaitable[None]]


async def until(condition: Callable[[], bool], *, seconds: float = PATIENCE_S) -> None:
    """Wait until something is so of another process."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for happens to another process
            await asyncio.sleep(0.02)


async def kill_worker(service: Served, rng: random.Random, number: int) -> None:
    """Kill one of the workers; now and then start the whole service anew, in order."""
    if number and number % KILLS_BEFORE_RESTART == 0:
        await asyncio.to_thread(service.stop)
        service.start()
    await until(lambda: len(service.worker_pids()) > 0)
    victim = rng.choice(service.worker_pids())
    os.kill(victim, signal.SIGKILL)
    await until(lambda: victim not in service.worker_pids())


async def kill_supervisor(service: Served, _: random.Random, __: int) -> None:
    """Kill the supervisor, and start another once nothing of the first is left."""
    left = [pid for pid in descendants(service.pid) if pid != service.database_pid()]
    service.kill()
    service.start()
    await until(lambda: not any(b"\0worker\0" in command_line(pid) for pid in left))


async def kill_session(service: Served, rng: random.Random, _: int) -> None:
    """Kill one session: the postmaster ends all others, and recovers."""
    sessions: list[int] = []

    def is_there() -> bool:
        nonlocal sessions
        postmaster = service.database_pid()
        below = [] if postmaster is None else children(postmaster)
        sessions = [pid for pid in below if b"emulation_app" in command_line(pid)]
        return bool(sessions)

    await until(is_there)
    os.kill(rng.choice(sessions), signal.SIGKILL)


async def kill_postmaster(service: Served, _: random.Random, __: int) -> None:
    """Kill the database's first process: the supervisor starts another."""
    await until(lambda: service.database_pid() is not None)
    victim = service.database_pid()
    assert victim is not None
    os.kill(victim, signal.SIGKILL)
    await until(lambda: service.database_pid() not in {None, victim})


async def kill_of_each_kind(service: Served, rng: random.Random, number: int) -> None:
    """Kill each in turns."""
    await (kill_worker, kill_session, kill_postmaster, kill_supervisor)[number % 4](service, rng, 0)


async def killed(
    name: str,
    kill: Kill,
    tries: int,
    place: Path,
    say: Say,
    *,
    behaviour: Behaviour = "right",
    settings: dict[str, str] | None = None,
) -> Outcome:
    """Kill so often under load, and judge.

    Args:
        name: of the experiment.
        kill: what is done each time.
        tries: how often.
        place: an empty directory.
        say: told how far it is.
        behaviour: of the clients.
        settings: of the database, other than they should be.
    """
    rng, outcome = chance(name), Outcome()
    with served(place) as service:
        if settings:
            await alter(service.data, settings)
        load = Load(service, rng, behaviour=behaviour, abandoned=0.0 if behaviour != "right" else 0.03)
        async with under_load(load, CLIENTS if behaviour == "right" else MUTANT_CLIENTS):
            for number in range(tries):
                await load.more(ANSWERS_BETWEEN)
                await asyncio.sleep(rng.uniform(0, 0.1))
                await kill(service, rng, number)
                outcome.tries += 1
                if outcome.tries % 10 == 0:
                    say(f"{outcome.tries} of {tries} kills, {load.acknowledged} acknowledged")
            await load.more(ANSWERS_BETWEEN)
        outcome.count(load)
        await asyncio.to_thread(service.wait_until_ready)
        if behaviour == "right":
            await load.repeat()
        family = descendants(service.pid)
        code, _ = await asyncio.to_thread(service.stop)
        if code != 0:
            outcome.found.wrong.append(f"the service stopped with exit code {code}")
        outcome.found.wrong += [f"process {pid} outlived the service" for pid in family if alive(pid)]
    outcome.found.add(await judged_in(service.data, load.ledgers.values()))
    return outcome


async def workers(tries: int, place: Path, say: Say, *, is_mutant: bool) -> Outcome:
    """Kill workers."""
    return await killed("worker", kill_worker, tries, place, say, behaviour="keyless" if is_mutant else "right")


async def supervisors(tries: int, place: Path, say: Say, *, is_mutant: bool) -> Outcome:
    """Kill supervisors."""
    return await killed("supervisor", kill_supervisor, tries, place, say, behaviour="keyless" if is_mutant else "right")


HASTY: Final = {"synchronous_commit": "off"}
"""Commits are acknowledged before they are on the disk: what is in the memory of the server alone goes with it."""


async def sessions(tries: int, place: Path, say: Say, *, is_mutant: bool) -> Outcome:
    """Kill sessions of the database."""
    return await killed("session", kill_session, tries, place, say, settings=HASTY if is_mutant else None)


async def postmasters(tries: int, place: Path, say: Say, *, is_mutant: bool) -> Outcome:
    """Kill the database."""
    return await killed("postmaster", kill_postmaster, tries, place, say, settings=HASTY if is_mutant else None)


async def slow_flushes(tries: int, place: Path, say: Say, *, is_mutant: bool) -> Outcome:
    """Kill the database while each flush takes 2.5 ms longer."""
    settings = slow_flush.SETTINGS | (HASTY if is_mutant else {})
    return await killed("slow-flush", kill_postmaster, tries, place, say, settings=settings)


EXPERIMENTS: Final = {
    "worker": Experiment(workers, 60, 3, "clients that repeat a command without its key"),
    "supervisor": Experiment(supervisors, 50, 2, "clients that repeat a command without its key", mutant_tries=12),
    "session": Experiment(sessions, 50, 3, "synchronous_commit = off", mutant_tries=6),
    "postmaster": Experiment(postmasters, 50, 3, "synchronous_commit = off", mutant_tries=6),
    "slow-flush": Experiment(slow_flushes, 10, 2, "synchronous_commit = off, flush slowed as well", mutant_tries=6),
}
