"""A migration that waits for a lock holds appends up for a moment; without the runner's care, as long as it waits."""

import pytest

from emulation_saas.postgres.migrating import LOCK_TIMEOUT_MS
from tests.database import Server
from tests.postgres.migrating_under_load import measure


@pytest.mark.parametrize(("timeout_ms", "is_held_up"), [(LOCK_TIMEOUT_MS, False), (0, True)])
async def test_appends_flow_while_a_migration_waits(server: Server, timeout_ms: int, *, is_held_up: bool) -> None:
    measured = await measure(server, reader_s=1.2, lock_timeout_ms=timeout_ms, who="")
    assert measured.answers > 0
    assert (measured.tries == 1) is is_held_up  # it lets everybody pass, and tries again
    assert measured.longest_pause_ms > 900 or not is_held_up
