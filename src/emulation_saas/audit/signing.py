"""The signer: says what the log is, and never says two things.

It remembers every head that it has signed in the schema of the keys, which the service's own role can neither read nor
change. Before it signs a larger one it takes the peaks of the last one, hashes again the bytes of every event since,
and compares leaf by leaf with what is stored, and the root with the one that it is asked to sign. A smaller size is
signed if the tree shows it to be a beginning of the last signed head. What does not agree is a fork: it is logged once
as an error and answered with `log-forked` until it agrees again.

Several processes may sign: the same size gets the same bytes, and whoever comes second finds them there.

Recovering from a fork
----------------------
Readers hold signed heads, so the signed history is the true one; nothing here makes the signer forget it. What stands
behind it is appended again, byte by byte, from an export or a consumer's copy; what was recorded since is set aside and
entered again; bytes that differ are put back. `deploy/runbooks/restore.md` says how.

A restore of the whole database takes `sealing` along. What notices it is the `witness`: the newest checkpoint of each
province in a file outside the database, put there before the checkpoint is handed out. Without one, only readers notice
it who remember a head.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NoReturn

import structlog

from emulation_saas.audit.notes import checkpoint_text, signed_note, size_of, vkeys_at
from emulation_saas.audit.refusals import LogForked
from emulation_saas.audit.witness import Witness
from emulation_saas.kernel.cancelling import raise_if_cancelled
from emulation_saas.kernel.clock import utc_now
from emulation_saas.kernel.use_cases import Selector
from emulation_saas.log import Head, LogGapError, ProvinceLog, ProvinceLogs
from emulation_saas.log.events import LogKeyRotated, LogOpened
from emulation_saas.log.frontier import Frontier, leaf_hash
from emulation_saas.log.merkle import begins
from emulation_saas.log.opening import LogKey, make_log_key
from emulation_saas.log.reading import STATEMENTS as LOG_STATEMENTS
from emulation_saas.log.tree import Inclusion, SizeBeyondHead
from emulation_saas.postgres.database import Database
from emulation_saas.postgres.statements import load_statements

if TYPE_CHECKING:
    from emulation_saas.kernel.ids import ProvinceId

SIGN_EVERY: Final = timedelta(seconds=1)
"""A growing log is signed so often; whoever asks for a size gets it at once."""
_PAGE: Final = 1_000
"""Events hashed again at a time: a millisecond in which the process does nothing else."""

_STATEMENTS: Final = load_statements("emulation_saas.audit")
_KEY_FACTS: Final = Selector(types=[LogOpened, LogKeyRotated], tags=["log"])
_log: Final = structlog.stdlib.get_logger("emulation_saas.audit")


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A checkpoint, and what the next one is checked from."""

    size: int
    root: bytes
    peaks: bytes
    note: str
    signed_at: datetime


async def named_vkeys(log: ProvinceLog) -> list[str]:
    """Return every key that the log names, in its order: the first is that of position 1."""
    return [fact.event.vkey for fact in await log.recorded([_KEY_FACTS])]


async def retired_vkeys(log: ProvinceLog, now: datetime) -> int:
    """Return how many of the keys that the log names have ceased to sign."""
    history = [(fact.event.vkey, fact.recorded_at) for fact in await log.recorded([_KEY_FACTS])]
    return len(history) - len(vkeys_at(history, now))


class LogKeyMissingError(Exception):
    """The log names a key whose private half is not among the keys."""


class Signer:
    """Signs the checkpoints of all provinces, for this process."""

    def __init__(self, database: Database, witness: Witness | None = None) -> None:
        """Know nothing yet; what was signed is read from among the keys, and from the witness, if there is one."""
        self._database = database
        self._witness = witness
        self._agreed: dict[ProvinceId, str] = {}
        self._signing: dict[ProvinceId, asyncio.Lock] = {}
        self._seen: dict[ProvinceId, int] = {}
        self._forked: set[ProvinceId] = set()

    @property
    def forked(self) -> int:
        """How many logs contradict what was signed of them, as far as this process has seen."""
        return len(self._forked)

    async def run(self, logs: ProvinceLogs) -> None:
        """Keep the checkpoints and tiles of every province up to date, until cancelled."""
        while True:
            try:
                for log in await logs.all():
                    if logs.waker.known_head(log.province) > self._seen.get(log.province, 0):
                        await self._keep_up(log)
            except Exception as error:  # noqa: BLE001 - asyncpg raises outside its own classes when the server dies
                raise_if_cancelled()
                _log.warning("provinces-unknown", exc_info=error)
            await asyncio.sleep(SIGN_EVERY.total_seconds())

    async def newest(self, log: ProvinceLog) -> SignedHead:
        """Return the newest checkpoint; signs one where the last is a second old and the log has grown.

        Raises:
            LogForked: the log contradicts what was signed.
        """
        async with self._turn(log):
            last, head = await self._last(log), await log.head()
            if last is not None and last.size < head.position and utc_now() - last.signed_at < SIGN_EVERY:
                return last
            return await self._signed(log, last, head)

    async def covering(self, log: ProvinceLog, position: int) -> SignedHead:
        """Return a checkpoint of at least so many events: the newest if it will do, else one of the head.

        Raises:
            SizeBeyondHead: there are not so many events.
            LogForked: the log contradicts what was signed.
        """
        async with self._turn(log):
            last = await self._last(log)
            if last is not None and last.size >= position:
                return last
            head = await log.head()
            if head.position < position and (last is None or head.position >= last.size):
                raise SizeBeyondHead
            return await self._signed(log, last, head)

    async def note(self, log: ProvinceLog, size: int) -> str:
        """Return the checkpoint of a size, 1 or more, whether or not it was signed before.

        Raises:
            SizeBeyondHead: there are not so many events.
            LogForked: the log contradicts what was signed.
        """
        last = await self.covering(log, size)
        async with self._database.in_province_keys(log.province) as connection:
            kept = await connection.fetchrow(_STATEMENTS["signed_head"], log.province, size)
        if kept is not None:
            return SignedHead(*kept).note
        try:
            root, path = await log.tree.root(size), await log.tree.consistency(size, last.size)
        except (SizeBeyondHead, LogGapError) as error:
            self._refuse(log, f"the log no longer reaches {last.size}, which was signed ({error!r})")
        if not begins((size, root), (last.size, last.root), path):
            self._refuse(log, f"the tree of {size} does not begin that of {last.size}, which was signed")
        return await self._written(log, size, root)

    async def proof(self, log: ProvinceLog, position: int, note: str) -> Inclusion:
        """Return what leads from the event at a position to the root that a checkpoint says.

        Raises:
            LogForked: the tree no longer has that root.
        """
        found = await log.tree.inclusion(position, size_of(note))
        self._demand_root(log, note, found.root)
        return found

    async def demand_tree(self, log: ProvinceLog, note: str) -> None:
        """Demand that the tree still has the root that a checkpoint says.

        Raises:
            LogForked: it no longer has.
        """
        self._demand_root(log, note, await log.tree.root(size_of(note)))

    async def next_vkey(self, log: ProvinceLog) -> str:
        """Return a key that the log does not name yet; one is made unless an earlier attempt has left one."""
        opened, *_ = facts = await log.recorded([_KEY_FACTS])
        named = {fact.event.vkey for fact in facts}
        async with self._database.in_province_keys(log.province) as connection:
            kept = await connection.fetch(_STATEMENTS["log_keys"], log.province)
            for row in kept:
                if row["vkey"] not in named:
                    vkey: str = row["vkey"]
                    return vkey
            key = make_log_key(opened.event.origin)
            await connection.execute(LOG_STATEMENTS["keep_log_key"], log.province, key.vkey, key.seed)
        return key.vkey

    def _turn(self, log: ProvinceLog) -> asyncio.Lock:
        """One at a time in this process: who comes next finds signed what he would have signed."""
        return self._signing.setdefault(log.province, asyncio.Lock())

    async def _keep_up(self, log: ProvinceLog) -> None:
        try:
            size = (await self.newest(log)).size
            await log.tree.grow(size)
            self._seen[log.province] = size
        except LogForked:
            return  # was logged
        except Exception as error:  # noqa: BLE001 - as above; the other provinces go on
            raise_if_cancelled()
            _log.warning("not-signed", province=log.handle, exc_info=error)

    async def _last(self, log: ProvinceLog) -> SignedHead | None:
        async with self._database.in_province_keys(log.province) as connection:
            kept = await connection.fetchrow(_STATEMENTS["newest_signed_head"], log.province)
        last = None if kept is None else SignedHead(*kept)
        if self._witness is not None:
            await self._agree(self._witness, log, last)
        return last

    async def _agree(self, witness: Witness, log: ProvinceLog, last: SignedHead | None) -> None:
        """Demand that the log leads through what the witness saw, and show it what has been signed since."""
        seen = witness.seen(log.handle)
        size, last_size = (0 if seen is None else size_of(seen)), (0 if last is None else last.size)
        if seen is not None and (seen != self._agreed.get(log.province) or last_size < size):
            try:
                await self.demand_tree(log, seen)
            except SizeBeyondHead:
                self._refuse(log, f"the log is behind {size}, which was signed: see deploy/runbooks/restore.md")
            self._agreed[log.province] = seen
        if last is not None and last.size > size:
            await asyncio.to_thread(witness.remember, log.handle, last.note)
            self._agreed[log.province] = last.note

    async def _signed(self, log: ProvinceLog, last: SignedHead | None, head: Head) -> SignedHead:
        """Sign a head that has been shown to grow out of the last signed one."""
        frontier = await self._hashed_again(log, last, head.position)
        if frontier.root() != head.root:
            since = 0 if last is None else last.size
            self._refuse(log, f"the events up to {head.position} do not lead from {since} to the root of the head")
        self._forked.discard(log.province)
        if last is not None and last.size == head.position:
            return last
        note = await self._written(log, head.position, head.root)
        made = SignedHead(head.position, head.root, frontier.peaks, note, utc_now())
        async with self._database.in_province_keys(log.province) as connection:
            await connection.execute(
                _STATEMENTS["keep_signed_head"], log.province, made.size, made.root, made.peaks, note, made.signed_at
            )
            kept = SignedHead(*_row(await connection.fetchrow(_STATEMENTS["signed_head"], log.province, made.size)))
        if kept.note != note:
            self._refuse(log, f"of {made.size} events another checkpoint was signed before")
        if self._witness is not None:
            await self._agree(self._witness, log, kept)
        return kept

    async def _hashed_again(self, log: ProvinceLog, last: SignedHead | None, size: int) -> Frontier:
        """Return the frontier at a size, from the last signed one and the stored bytes of the events since."""
        frontier = Frontier() if last is None else Frontier(last.size, last.peaks)
        if size < frontier.size:
            self._refuse(log, f"the log stands at {size}, behind {frontier.size}, which was signed")
        while frontier.size < size:
            try:
                entries = await log.entries(after=frontier.size, through=size, limit=_PAGE)
            except LogGapError as gap:
                self._refuse(log, str(gap))
            if not entries:
                self._refuse(log, f"position {frontier.size + 1} is missing below the head")
            for entry in entries:
                if leaf_hash(entry.body) != entry.leaf_hash:
                    self._refuse(log, f"position {entry.position}: the bytes are not those that were hashed")
                frontier.append(entry.leaf_hash)
        return frontier

    async def _written(self, log: ProvinceLog, size: int, root: bytes) -> str:
        """Return the note of a size by the keys that the log names at that size."""
        facts = await log.recorded([_KEY_FACTS], through=size)
        last = log.closed((await log.entries(after=size - 1, through=size))[0])
        async with self._database.in_province_keys(log.province) as connection:
            rows = await connection.fetch(_STATEMENTS["log_keys"], log.province)
        seeds: dict[str, bytes] = {row["vkey"]: row["private_key"] for row in rows}
        keys: list[LogKey] = []
        for vkey in vkeys_at([(fact.event.vkey, fact.recorded_at) for fact in facts], last.recorded_at):
            if vkey not in seeds:
                raise LogKeyMissingError(vkey)
            keys.append(LogKey(vkey, seeds[vkey]))
        origin: str = facts[0].event.origin
        return signed_note(checkpoint_text(origin, size, root), keys)

    def _demand_root(self, log: ProvinceLog, note: str, root: bytes) -> None:
        origin, size, *_ = note.split("\n")
        if not note.startswith(checkpoint_text(origin, int(size), root)):
            self._refuse(log, f"the tree of {size} has another root than was signed")

    def _refuse(self, log: ProvinceLog, why: str) -> NoReturn:
        if log.province not in self._forked:
            self._forked.add(log.province)
            _log.error("log-forked", province=log.handle, why=why)
        raise LogForked(why)


def _row(row: Any) -> Any:  # noqa: ANN401 - a record
    if row is None:  # pragma: no cover - it was written a statement before
        raise LogForked
    return row
