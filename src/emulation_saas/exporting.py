"""The export command: a province's log into one file, from a database or from a running service."""

import argparse
import asyncio
import os
import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import BinaryIO, Final

import asyncpg
import httpx

from emulation_saas.arguments import whole
from emulation_saas.audit.exports import Span, exported
from emulation_saas.audit.signing import Signer
from emulation_saas.kernel.rejections import Rejection
from emulation_saas.log.master_key import NoMasterKey
from emulation_saas.log.tree import SizeBeyondHead, SizesOutOfOrder
from emulation_saas.postgres.database import open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres, EmbeddedPostgresError
from emulation_saas.serving import data_directory, prepare
from emulation_saas.settings import Settings
from emulation_saas.supervising import EXIT_USAGE
from emulation_saas.wiring import logs_of, witness_of

PROGRESS_EVERY_S: Final = 2.0
_TIMEOUT: Final = httpx.Timeout(30.0, read=120.0)

Say = Callable[[str], None]


class ExportError(Exception):
    """The log could not be exported; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is exported: a province, from the first position to the last; None: to the head."""

    province: str
    first: int = 1
    last: int | None = None


def add_export(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("province", help="the province's handle")
    parser.add_argument("--out", type=Path, required=True, help="the file, a tar; written whole or not at all")
    parser.add_argument("--from", dest="first", type=whole(1), default=1, help="the first position")
    parser.add_argument("--to", dest="last", type=whole(1), help="the last position; the head if not given")
    parser.add_argument("--database-url", help="which database; without it the embedded one")
    parser.add_argument("--data", type=Path, help="directory of the embedded database, running or not")
    parser.add_argument("--url", help="ask this service instead, for what the token's bearer may see")
    parser.add_argument(
        "--token", help="the bearer token for --url; or @FILE that holds it, as others may see a command line"
    )


def run_export(settings: Settings, options: argparse.Namespace, *, say: Say) -> int:
    """Run the command and return its exit status.

    Raises:
        ExportError: the log could not be exported.
    """
    wanted = Wanted(province=options.province, first=options.first, last=options.last)
    if options.url is not None and options.token is not None:
        export_from_service(wanted, options.out, url=options.url, token=_token_text(options.token), say=say)
    elif options.url is None and options.token is None:
        export_from_database(settings, wanted, options.out, say=say)
    else:
        say("--url and --token belong together")
        return EXIT_USAGE
    return 0


def _token_text(given: str) -> str:
    return Path(given[1:]).read_text(encoding="latin-1").strip() if given.startswith("@") else given


def export_from_service(wanted: Wanted, out: Path, *, url: str, token: str, say: Say) -> None:
    """Write what a service gives to the bearer of a token.

    Raises:
        ExportError: it refused, could not be reached, or broke off.
        OSError: the file cannot be written.
    """
    asked = {"from": wanted.first} if wanted.last is None else {"from": wanted.first, "to": wanted.last}
    path = f"{url.rstrip('/')}/v1/provinces/{wanted.province}/log/export"
    headers = {"authorization": f"Bearer {token}"}
    try:
        with (
            httpx.Client(timeout=_TIMEOUT, trust_env=False) as client,
            client.stream("GET", path, params=asked, headers=headers) as answer,
        ):
            if not answer.is_success:
                raise ExportError(f"{answer.status_code}: {answer.read().decode(errors='replace')[:1_000]}")
            with _whole_or_not_at_all(out) as file:
                progress = _Progress(file, say)
                for piece in answer.iter_bytes():
                    progress.write(piece)
            say(f"{out}: {progress.bytes_written} bytes")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ExportError(f"{url}: {error!r}") from error


def export_from_database(settings: Settings, wanted: Wanted, out: Path, *, say: Say) -> None:
    """Write the whole log, as who has the database may: the one of the settings, else the embedded one.

    Raises:
        ExportError: there is no such province or span, or the log contradicts what was signed of it.
        ServerRefusedError, MigrationError, OSError: the database cannot be had, or the file not be written.
    """
    if settings.database_url is not None:
        asyncio.run(_export(settings, settings.database_url, wanted, out, say))
        return
    embedded = EmbeddedPostgres(data_directory(settings), report=say)
    try:
        with embedded.at_hand() as url:
            if embedded.is_running():  # started for this: nobody else has looked after its schema
                asyncio.run(prepare(url, say))
            asyncio.run(_export(settings, url, wanted, out, say))
    except EmbeddedPostgresError as error:
        raise ExportError(str(error)) from error


async def _export(settings: Settings, url: str, wanted: Wanted, out: Path, say: Say) -> None:
    try:
        async with open_database(url) as database:
            logs = logs_of(database, origin=settings.log_origin, master=NoMasterKey())
            log = await logs.find(wanted.province)
            if log is None:
                raise ExportError(f"there is no province {wanted.province}")
            head = (await log.head()).position
            last = head if wanted.last is None else wanted.last
            if last > head:
                raise SizeBeyondHead(f"the log stands at {head}")
            if wanted.first > last:
                raise SizesOutOfOrder
            with _whole_or_not_at_all(out) as file:
                progress = _Progress(file, say)
                async for piece in exported(Signer(database, witness_of(settings)), log, Span.of(wanted.first, last)):
                    progress.write(piece)
            say(f"{out}: {progress.bytes_written} bytes")
    except Rejection as rejection:
        raise ExportError(f"{rejection.code}: {rejection.detail or rejection.title()}") from rejection
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise ExportError(f"the database failed: {error!r}") from error


class _Progress:
    """Writes, and says now and then how far it has come."""

    def __init__(self, file: BinaryIO, say: Say) -> None:
        self._file = file
        self._say = say
        self._said_s = monotonic()
        self.bytes_written = 0

    def write(self, piece: bytes) -> None:
        self._file.write(piece)
        self.bytes_written += len(piece)
        if monotonic() - self._said_s > PROGRESS_EVERY_S:
            self._said_s = monotonic()
            self._say(f"{self.bytes_written / 1e6:.1f} MB so far")


@contextmanager
def _whole_or_not_at_all(out: Path) -> Generator[BinaryIO]:
    """Lend a file that takes the place of `out` once it is whole and on the disk."""
    partial = out.with_name(f".{out.name}.{secrets.token_hex(4)}.partial")
    try:
        with partial.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
