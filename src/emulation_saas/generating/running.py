"""The command `generate`: where it writes, how far it is, what it made."""

import argparse
import asyncio
from collections.abc import Callable
from contextlib import ExitStack, suppress
from time import monotonic
from typing import Final

import msgspec
import uvloop

from emulation_saas.arguments import whole
from emulation_saas.generating.provinces import YEARS_MAX, Plan, blocs_for, generate
from emulation_saas.kernel.ids import is_handle
from emulation_saas.kernel.rejections import Rejection
from emulation_saas.log import OutcomeUnknownError, ProvinceLogs
from emulation_saas.log.master_key import read_master_key
from emulation_saas.postgres.database import open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.postgres.embedded.faults import AlreadyRunsError
from emulation_saas.serving import data_directory, database_url_of, master_key_path, prepare, settle_master_key
from emulation_saas.settings import Settings
from emulation_saas.wiring import logs_of

PROVINCES_AT_ONCE: Final = 4
"""While one province waits for the disk, another one's commands are decided."""
TOLD_EVERY_S: Final = 2.0
PROVINCES_MAX: Final = 99
BLOCS_MAX: Final = 9999

Say = Callable[[str], None]


class GenerateError(Exception):
    """The provinces could not be made; the message says why."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What is there of one province."""

    province: str
    blocs: int
    closed_years: int
    position: int


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did; `events` are those that it recorded itself."""

    seed: int
    provinces: list[Made]
    events: int
    seconds: float
    events_per_s: float

    def told(self) -> str:
        """Return it in a few lines."""
        lines = [f"{each.province}: {each.blocs} blocs, {each.position} events" for each in self.provinces]
        rate = f"{self.events} events recorded in {self.seconds} s, {self.events_per_s} a second"
        return "\n".join([*lines, rate])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what may be asked for."""
    parser.add_argument("--provinces", type=whole(1, PROVINCES_MAX), default=1, help="how many provinces")
    parser.add_argument(
        "--years", type=whole(1, YEARS_MAX), default=3, help="closed years of each bloc, before this one"
    )
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument("--blocs", type=whole(1, BLOCS_MAX), default=12, help="blocs in each province")
    amount.add_argument("--events", type=whole(1, 10**9), help="as many blocs as give about so many events a province")
    parser.add_argument("--seed", type=int, default=1, help="what everything is drawn from")
    parser.add_argument(
        "--prefix", type=_prefix, default="du-lieu-sinh", help="the provinces are called PREFIX-01, PREFIX-02, …"
    )


def plans_of(options: argparse.Namespace) -> list[Plan]:
    """Return the plan of each province that is asked for.

    Raises:
        GenerateError: it takes more blocs than there are handles for.
    """
    blocs = options.blocs if options.events is None else blocs_for(options.events, years=options.years)
    if blocs > BLOCS_MAX:
        raise GenerateError(f"{options.events} events take {blocs} blocs, at most {BLOCS_MAX}: ask for more years")
    return [
        Plan(province=f"{options.prefix}-{number:02d}", seed=options.seed, blocs=blocs, years=options.years)
        for number in range(1, options.provinces + 1)
    ]


def run(settings: Settings, plans: list[Plan], *, say: Say) -> Summary:
    """Make all provinces, in the settings' database, else in the embedded one: running, stopped, or made for this.

    Raises:
        GenerateError: a province holds something else, or the database failed.
        ServerRefusedError, MigrationError, EmbeddedPostgresError, MasterKeyError: the database cannot be had.
    """
    with ExitStack() as stack:
        try:
            url = stack.enter_context(database_url_of(settings, report=say))
        except AlreadyRunsError:
            url = stack.enter_context(EmbeddedPostgres(data_directory(settings), report=say).at_hand())
        return uvloop.run(_run(settings, url, plans, say))


async def _run(settings: Settings, url: str, plans: list[Plan], say: Say) -> Summary:
    await prepare(url, say)
    await settle_master_key(settings, url)
    master = read_master_key(master_key_path(settings))
    async with (
        open_database(url) as database,
        logs_of(database, origin=settings.log_origin, master=master).running() as logs,
    ):
        before = await _positions(logs, plans)
        began = monotonic()
        telling = asyncio.create_task(_tell(logs, plans, say))
        try:
            made = await _all(logs, plans)
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling
        seconds = monotonic() - began
    events = sum(each.position for each in made) - sum(before.values())
    return Summary(
        seed=plans[0].seed,
        provinces=made,
        events=events,
        seconds=round(seconds, 1),
        events_per_s=round(events / seconds, 1),
    )


async def _all(logs: ProvinceLogs, plans: list[Plan]) -> list[Made]:
    turns = asyncio.Semaphore(PROVINCES_AT_ONCE)

    async def one(plan: Plan) -> Made:
        async with turns:
            try:
                log = await generate(logs, plan)
            except (Rejection, OutcomeUnknownError, ExceptionGroup) as error:
                raise GenerateError(f"{plan.province}: {_said(error)}") from error
            position = (await log.head()).position
            return Made(province=plan.province, blocs=plan.blocs, closed_years=plan.years, position=position)

    return await asyncio.gather(*(one(plan) for plan in plans))


def _said(error: "Rejection | OutcomeUnknownError | ExceptionGroup[Exception]") -> str:
    """Return what to tell of a refusal or a failure, or of the first of several."""
    if isinstance(error, Rejection):
        return f"{error.code}: {error.detail or error.title()}"
    if isinstance(error, OutcomeUnknownError):
        return "the database failed; run it again to go on"
    first = error.exceptions[0]
    return _said(first) if isinstance(first, Rejection | OutcomeUnknownError) else repr(first)


async def _positions(logs: ProvinceLogs, plans: list[Plan]) -> dict[str, int]:
    found = {plan.province: await logs.find(plan.province) for plan in plans}
    return {name: 0 if log is None else (await log.head()).position for name, log in found.items()}


async def _tell(logs: ProvinceLogs, plans: list[Plan], say: Say) -> None:
    """Say how far it is, until cancelled."""
    known, known_s = sum((await _positions(logs, plans)).values()), monotonic()
    while True:
        await asyncio.sleep(TOLD_EVERY_S)
        events, now_s = sum((await _positions(logs, plans)).values()), monotonic()
        say(f"{events} events, {(events - known) / (now_s - known_s):.0f} a second")
        known, known_s = events, now_s


def _prefix(text: str) -> str:
    if not (is_handle(text) and is_handle(f"{text}-{PROVINCES_MAX}")):
        raise argparse.ArgumentTypeError("1 to 37 of a to z, 0 to 9 and the hyphen")
    return text
