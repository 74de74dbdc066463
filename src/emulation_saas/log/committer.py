"""Decides commands in batches on the newest head of one province and appends each batch in one statement.

It holds what is committed (views, head, frontier); while a batch is in flight its effects are seen through an overlay.
If another process moved the head first, it locks the head, reads the tail and decides again: no decision is stale and
nobody sees a conflict. On anything but success the overlay is dropped and the head is read again.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from emulation_saas.kernel.clock import aged
from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.kernel.rejections import Forbidden, NotFound
from emulation_saas.kernel.use_cases import Acting, UseCase
from emulation_saas.log.accepted import Accepted
from emulation_saas.log.batch import Answer, Command, Step, next_batch, without
from emulation_saas.log.codec import Codec
from emulation_saas.log.course import Course, Watch
from emulation_saas.log.drafting import Drafter
from emulation_saas.log.facts import key_of
from emulation_saas.log.faults import CLOCKS_APART_MAX, ClockWrongError, OutcomeUnknownError
from emulation_saas.log.keyring import Keyring
from emulation_saas.log.known import Known
from emulation_saas.log.powers import AuthorityFold, Directory
from emulation_saas.log.reading import STATEMENTS, Head, Item, Reader
from emulation_saas.log.repeating import stored_answers
from emulation_saas.log.room import Room
from emulation_saas.postgres.database import ACQUIRE_TIMEOUT_S, Database, in_transaction

if TYPE_CHECKING:
    from emulation_saas.postgres.database import Connection

BATCH_MAX: Final = 32
"""Commands decided and appended at once. While a batch is on its way to the disk, the requests of the next are read;
much larger batches would leave the process idle meanwhile."""
RIVALS_REMEMBERED: Final = 8
"""Batches that begin with a lock after another process was faster: trying without would mostly be in vain."""
TURN_BATCHES_MAX: Final = 32
"""Batches of one province on one connection, before another province may have it."""
PREPARING_MAX: Final = 2
"""Commands of one province that read their facts at once, each on a connection: the others are for who has his."""
DIRECTORY_AGE_S: Final = 0.25
"""How old the directory may be that a read is judged by."""

_logger: Final = logging.getLogger(__name__)


class Committer:
    """One province's commands in this process. A connection is taken first, the lock of deciding second (D-012)."""

    def __init__(  # noqa: PLR0913 - what a committer is made of, each by name
        self,
        province: ProvinceId,
        database: Database,
        codec: Codec,
        fold: AuthorityFold,
        *,
        keyring: Keyring,
        clock: Callable[[], datetime],
        moved: Callable[[ProvinceId, int], None],
        room: Room,
        watch: Watch,
    ) -> None:
        """Know nothing yet; the first command reads the head."""
        self._province = province
        self._database = database
        self._codec = codec
        self._clock = clock
        self._moved = moved
        self._watch = watch
        self.keyring = keyring
        self.reader = Reader(province, codec, self.keyring)
        self._drafter = Drafter(province, codec, self.keyring, room)
        personal_types = codec.registry.personal_types
        self._known = Known(self.reader, fold, keyring=keyring, personal_types=personal_types)
        self._queue: deque[Command] = deque()
        self._rivals = 0
        """For how many batches the head is locked first, as another process appends to this province too."""
        self._deciding = asyncio.Lock()
        self._asking = asyncio.Lock()
        """Taken before a connection, by who asks for the directory only: callers without number need one together."""
        self._preparing = asyncio.Semaphore(PREPARING_MAX)
        self._draining: asyncio.Task[None] | None = None

    async def execute(self, use_case: UseCase[Any], acting: Acting) -> Accepted:
        """Decide a use case on the newest head and return what was recorded, once it is durable.

        Raises:
            Rejection: it was refused, on the newest head.
            OutcomeUnknownError: the database failed under it.
        """
        key = key_of(use_case, use_case.facts())
        command = Command(use_case, acting, key, asyncio.get_running_loop().create_future())
        if not self._known.has([command]):
            await self._prepare(command)
        self._queue.append(command)
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain())
        try:
            return await command.answer
        finally:
            if command.course is not None:
                self._watch.command_ended(command.course)

    @property
    def queued(self) -> int:
        """How many commands wait to be taken into a batch."""
        return len(self._queue)

    async def execute_unless(
        self, use_case: UseCase[Any], acting: Acting, *, items: Sequence[Item] | None, after: int
    ) -> Accepted | None:
        """Execute while the head is locked, unless an event after a position matches one of the items; then None."""
        command = Command(use_case, acting, key_of(use_case, ()), asyncio.get_running_loop().create_future())
        course = Course(1)
        async with self._database.app.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection, self._deciding:
            async with in_transaction(connection, self._province):
                head = await self._known.catch_up(connection, lock=True)
                if items is not None and await self.reader.matching(
                    connection, items, after, through=head.position, limit=1
                ):
                    return None
                await self._known.load_missing(connection, [command])
                step = await self._decide_and_append(connection, [command], course, locked=True)
            course.end()
            self._publish(step)
        self._watch.batch_ended(course)
        return await command.answer

    async def directory(self, *, is_newest: bool = False, min_position: int = 0) -> Directory:
        """Return who may do what, as of now or at most a moment ago.

        Args:
            is_newest: demand it as of now.
            min_position: demand it as of this position, as far as the log goes.
        """
        since = monotonic() - (0 if is_newest else DIRECTORY_AGE_S)
        if not self._known.is_as_of(since, min_position):
            async with self._asking:  # of all who wait here, one asks, for all who came before it did
                if not self._known.is_as_of(since, min_position):
                    async with self._database.in_province(self._province) as connection, self._deciding:
                        await self._known.catch_up(connection)
        return self._known.directory

    async def close(self) -> None:
        """Wait until everything queued is answered."""
        if self._draining is not None:
            await self._draining

    async def _prepare(self, command: Command) -> None:
        """Read the facts of a command beforehand, so that the batch it joins need not wait for them."""
        async with self._preparing:
            if self._known.has([command]):  # another command has read them meanwhile
                return
            try:
                async with self._database.in_province(self._province) as connection:
                    if self._known.head is None:
                        async with self._deciding:
                            await self._known.catch_up(connection)
                    await self._known.load_missing(connection, [command])
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
                raise OutcomeUnknownError(str(error)) from error

    async def _drain(self) -> None:
        while self._queue:
            try:
                async with self._database.app.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
                    for _ in range(TURN_BATCHES_MAX):
                        async with self._deciding:
                            if not await self._commit(connection, next_batch(self._queue, BATCH_MAX)):
                                break
            except Exception as error:
                _logger.warning("no connection for %s commands", len(self._queue), exc_info=True)
                self._fail(list(self._queue), error)
                self._queue.clear()

    async def _commit(self, connection: "Connection", batch: list[Command]) -> bool:
        """Answer a batch. Return whether to go on with the same connection: it is sound, and more has queued."""
        pending, locked = batch, self._rivals > 0
        course = Course(len(batch))
        for command in batch:
            command.course = course
        try:
            while pending:
                pending, locked = await self._attempt(connection, pending, course, locked=locked)
        except BaseException as error:  # whatever ends it, nobody may be left waiting for an answer
            _logger.warning("a batch of %s commands has an unknown outcome", len(batch), exc_info=True)
            course.end()
            self._known.head = None
            self._fail(batch, error)
            if not isinstance(error, Exception):
                raise
            return False
        finally:
            self._watch.batch_ended(course)
        return bool(self._queue)

    def _fail(self, commands: list[Command], error: BaseException) -> None:
        for command in commands:
            command.settle(OutcomeUnknownError(str(error)))

    async def _attempt(
        self, connection: "Connection", commands: list[Command], course: Course, *, locked: bool
    ) -> tuple[list[Command], bool]:
        """Decide and append once. Return the commands to decide again, and whether to lock the head for that."""
        try:
            if locked:
                course.enter("lock")
                async with in_transaction(connection, self._province):
                    before = self._known.facts.position
                    moved = (await self._known.catch_up(connection, lock=True)).position > before
                    self._rivals = RIVALS_REMEMBERED if moved else max(0, self._rivals - 1)
                    course.enter("read")
                    await self._known.load_missing(connection, commands)
                    step = await self._decide_and_append(connection, commands, course, locked=True)
            else:
                if not self._known.has(commands):
                    course.enter("read")
                    async with in_transaction(connection, self._province):
                        await self._known.catch_up(connection)
                        await self._known.load_missing(connection, commands)
                step = await self._decide_and_append(connection, commands, course, locked=False)
        except asyncpg.UniqueViolationError as error:
            # By the text: through a coordinator of Citus nothing else comes, with the number of the shard behind it.
            if "idempotency_key_is_used_once" not in str(error):
                raise
            answers, _ = await self._settled(connection, commands, locked=False)
            step = Step(answers=answers, remaining=without(commands, answers), lock_next=True)
        course.end()
        self._publish(step)
        return step.remaining, step.lock_next

    def _publish(self, step: Step) -> None:
        """What was appended is durable now: make it what is known, and answer."""
        if step.appended is not None:
            head, draft, changed, asked_at = step.appended
            self._known.take(head, draft.frontier, draft.events, changed, asked_at=asked_at)
            self._moved(self._province, head.position)
        for command, answer in step.answers:
            self._known.facts.answered(command.view, needed=not isinstance(answer, Forbidden | NotFound))
            command.settle(answer)

    async def _decide_and_append(
        self, connection: "Connection", commands: list[Command], course: Course, *, locked: bool
    ) -> Step:
        head = self._known.head
        if head is None:  # pragma: no cover - _attempt has read it
            raise OutcomeUnknownError
        asked_at, clock = monotonic(), self._clock()
        now = max(clock, head.recorded_at)
        course.enter("decide")
        decided, draft, changed = await self._drafter.draft(self._known.facts, self._known.frontier, commands, now)
        doubtful = [each.command for each in decided if not each.events]
        if draft.is_empty or any(command.key is not None for command in doubtful):
            course.enter("read")
            stored, stands = await self._settled(connection, doubtful, locked=locked)
            if abs(aged(clock, asked_at) - stands.clock) > CLOCKS_APART_MAX:
                raise ClockWrongError
            if stands.position != head.position:
                return Step(remaining=commands, lock_next=True)
            if stored:
                return Step(answers=stored, remaining=without(commands, stored), lock_next=locked)
        answers: list[Answer] = [(each.command, each.rejection or each.accepted) for each in decided]
        if draft.is_empty:
            return Step(answers=answers)
        arguments = draft.arguments(expected=head.position, clock=aged(clock, asked_at))
        course.enter("append")
        if not await connection.fetchval(STATEMENTS["append"], *arguments):
            return Step(remaining=commands, lock_next=True)
        course.events += len(draft.events)
        frontier = draft.frontier
        moved = Head(frontier.size, now, frontier.root(), frontier.peaks, now)
        return Step(answers=answers, appended=(moved, draft, changed, asked_at))

    async def _settled(
        self, connection: "Connection", commands: list[Command], *, locked: bool
    ) -> tuple[list[Answer], Head]:
        """Return the stored answers of those commands that were accepted before, and the head as it stands.

        Where there are some the head is locked: the end of a transaction that has done so waits for the standbys, which
        the end of the one that stored them may not have done.
        """
        if not locked:
            async with in_transaction(connection, self._province):
                return await self._settled(connection, commands, locked=True)
        answers = await stored_answers(connection, self.reader, self._province, commands)
        return answers, await self.reader.head(connection, lock=bool(answers))
