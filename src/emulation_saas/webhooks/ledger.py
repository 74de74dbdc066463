"""What became of each try to send an event to a webhook: positions, times and reasons, never a copy of what is sent."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from emulation_saas.kernel.ids import ProvinceId, WebhookId
from emulation_saas.postgres.database import Database
from emulation_saas.postgres.statements import load_statements

_STATEMENTS: Final = load_statements("emulation_saas.webhooks")

HANDSHAKE: Final = 0
"""In place of a position: the handshake is tried like a delivery."""
LEDGER_POSITIONS: Final = 10_000
"""So far behind a webhook's cursor it is still told that an event was delivered; what was not always is."""

Status = Literal["due", "delivered", "dead"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """The event of one position, and what became of sending it."""

    position: int
    status: Status
    tries: int
    tried_at: datetime | None
    next_try_at: datetime | None
    outcome: str
    """Why it failed, in a word; empty before the first try."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """How a receiver has been doing."""

    webhook: WebhookId
    obeyed: int = 0
    """The last event about the webhook of which all that it asks for was done."""
    succeeded_at: datetime | None = None
    failed_at: datetime | None = None
    failing_since: datetime | None = None
    """The first of the failures since the last success."""
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is set aside for one webhook."""

    due: int = 0
    dead: int = 0
    next_try_at: datetime | None = None


class Ledger:
    """The deliveries to one province's webhooks."""

    def __init__(self, database: Database, province: ProvinceId) -> None:
        """Read and write them here."""
        self._database = database
        self._province = province

    async def record(self, webhook: WebhookId, tries: Sequence[Delivery], *, at: datetime | None) -> datetime | None:
        """Record what became of some tries; return since when the receiver has been failing, None if it has not.

        Args:
            webhook: which.
            tries: of different positions.
            at: when they were made; None when they are yet to be.
        """
        succeeded = at if any(each.status == "delivered" for each in tries) else None
        failed = at if any(each.status != "delivered" for each in tries) else None
        columns = (
            [each.position for each in tries],
            [each.status for each in tries],
            [each.tries for each in tries],
            [each.next_try_at for each in tries],
            [each.outcome for each in tries],
        )
        # What a crash of the database loses of it is tried again, which may be at any time.
        async with self._database.in_province_lazily(self._province) as connection:
            await connection.execute(_STATEMENTS["record_tries"], self._province, webhook, at, *columns)
            if at is None:
                return None
            health = (self._province, webhook, succeeded, failed, tries[-1].outcome)
            failing_since: datetime | None = await connection.fetchval(_STATEMENTS["record_health"], *health)
            return failing_since

    async def find(self, webhook: WebhookId, position: int) -> Delivery | None:
        """Return what became of one event; None when nothing is known of it."""
        async with self._database.in_province(self._province) as connection:
            row = await connection.fetchrow(_STATEMENTS["find_delivery"], self._province, webhook, position)
        return None if row is None else Delivery(*row)

    async def due(self, webhook: WebhookId, *, now: datetime, through: int, limit: int) -> list[tuple[int, int]]:
        """Return positions set aside whose time has come, and how often each was tried."""
        asked = (self._province, webhook, now, through, limit)
        async with self._database.in_province(self._province) as connection:
            rows = await connection.fetch(_STATEMENTS["due_deliveries"], *asked)
        return [(row["position"], row["tries"]) for row in rows]

    async def listed(
        self, webhook: WebhookId, statuses: Sequence[Status], *, before: int, limit: int
    ) -> list[Delivery]:
        """Return deliveries of these statuses below a position, the newest first."""
        asked = (self._province, webhook, list(statuses), before - 1, limit)
        async with self._database.in_province(self._province) as connection:
            rows = await connection.fetch(_STATEMENTS["list_deliveries"], *asked)
        return [Delivery(*row) for row in rows]

    async def receivers(self, webhooks: Collection[WebhookId]) -> dict[WebhookId, Receiver]:
        """Return how receivers have been doing, of those to whom anything was sent."""
        async with self._database.in_province(self._province) as connection:
            rows = await connection.fetch(_STATEMENTS["receivers"], self._province, list(webhooks))
        return {row["webhook"]: Receiver(*row) for row in rows}

    async def waiting(self, webhooks: Collection[WebhookId]) -> dict[WebhookId, Waiting]:
        """Return what is set aside, by webhook."""
        async with self._database.in_province(self._province) as connection:
            rows = await connection.fetch(_STATEMENTS["waiting_deliveries"], self._province, list(webhooks))
        return {row["webhook"]: Waiting(row["due"], row["dead"], row["next_try_at"]) for row in rows}

    async def obeyed(self, webhook: WebhookId, position: int) -> None:
        """Record that all that an event about the webhook asks for was done."""
        await self._execute("record_obeyed", webhook, position)

    async def retry_now(self, webhook: WebhookId, *, now: datetime) -> None:
        """Begin anew with everything set aside, and hold nothing against the receiver."""
        await self._execute("retry_now", webhook, now)
        await self.forgive(webhook)

    async def forgive(self, webhook: WebhookId) -> None:
        """Hold nothing against the receiver that failed before."""
        await self._execute("forgive_failing", webhook)

    async def give_up(self, webhook: WebhookId, first: int, last: int) -> None:
        """Forget what is not to be sent any more of a span."""
        await self._execute("forget_deliveries", webhook, first, last)

    async def forget_old(self, webhook: WebhookId, *, cursor: int) -> None:
        """Forget what was delivered far behind a cursor."""
        await self._execute("forget_old_deliveries", webhook, cursor - LEDGER_POSITIONS)

    async def forget(self, webhook: WebhookId) -> None:
        """Forget a webhook."""
        await self._execute("forget_webhook", webhook)

    async def _execute(self, statement: str, webhook: WebhookId, *values: object) -> None:
        async with self._database.in_province(self._province) as connection:
            await connection.execute(_STATEMENTS[statement], self._province, webhook, *values)
