"""A finished day of the access log is digested once, by the service alone; its digest tells of any change."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from emulation_saas.kernel.authority import operator
from emulation_saas.kernel.rejections import NotEmpowered
from emulation_saas.log import ProvinceLog
from emulation_saas.postgres.database import open_database
from emulation_saas.privacy.access_log import AccessLog
from emulation_saas.privacy.events import AccessLogDigested
from emulation_saas.privacy.upkeep import Upkeep
from emulation_saas.privacy.use_cases import DigestAccessLog
from tests.logs import open_province, running_logs
from tests.privacy.living import HERE, alive, pledged, run_sql
from tests.scenario import ADMIN, given

DAY: Final = date(2026, 1, 2)
DIGEST: Final = DigestAccessLog(day=DAY, entries=2, sha256="0f" * 32)
DIGESTED: Final = AccessLogDigested(day=DAY, entries=2, sha256="0f" * 32)
ADD: Final = """
INSERT INTO access_log
SELECT province_id, $1, $2::timestamptz + n * interval '1 s', gen_random_uuid(), 'p-readerread', 'GET /v1/x', '7', 9,
    'names'
FROM provinces, generate_series(1, $3::int) AS n
"""


def test_day_is_digested_once_whatever_it_comes_to_later() -> None:
    given().when(DIGEST, operator()).then(DIGESTED)
    later = DigestAccessLog(day=DAY, entries=3, sha256="1f" * 32)
    given(DIGESTED).when(later, operator()).then_recorded_nothing()
    given(DIGESTED).when(DIGEST, ADMIN).then_rejected(NotEmpowered)


async def add(server: Any, url: str, day: date, entries: int) -> None:  # noqa: ANN401 - the fixture
    """Add lines to a day that is long past."""
    await run_sql(server, url, ADD, day, datetime(day.year, day.month, day.day, 2, tzinfo=UTC), entries)


async def digested(log: ProvinceLog) -> list[AccessLogDigested]:
    return [each.event for each in await log.recorded() if isinstance(each.event, AccessLogDigested)]


async def test_finished_days_are_digested_in_order_after_being_down_and_by_two_at_once(
    server: Any,  # noqa: ANN401 - the fixture
    database_url: str,
) -> None:
    async with running_logs(database_url) as logs, open_database(database_url) as database:
        log = (await open_province(logs)).log
        for day, entries in ((DAY, 3), (DAY + timedelta(days=4), 1)):
            await add(server, database_url, day, entries)
        access_log = AccessLog(logs, database)
        one, other = Upkeep(logs, access_log), Upkeep(logs, access_log)
        await one.digest_finished_days(log)
        await other.digest_finished_days(log)
        await one.digest_finished_days(log)
        found = await digested(log)
        assert [(each.day, each.entries) for each in found] == [(DAY, 3), (DAY + timedelta(days=4), 1)]
        await add(server, database_url, DAY + timedelta(days=5), 2)
        await one.digest_finished_days(log)
        assert [each.entries for each in await digested(log)] == [3, 1, 2]


async def test_day_is_left_alone_until_it_is_safely_over(server: Any, database_url: str) -> None:  # noqa: ANN401
    async with running_logs(database_url) as logs, open_database(database_url) as database:
        log = (await open_province(logs)).log
        yesterday = (datetime.now(UTC) + timedelta(hours=7)).date() - timedelta(days=1)
        await add(server, database_url, yesterday, 1)
        next_day = AccessLog(logs, database).next_finished_day
        assert await next_day(log.province, after=date.min, settled=timedelta(0)) == yesterday
        assert await next_day(log.province, after=date.min, settled=timedelta(days=1)) is None
        assert await next_day(log.province, after=yesterday, settled=timedelta(0)) is None
        today = yesterday + timedelta(days=1)
        await add(server, database_url, today, 1)
        assert await next_day(log.province, after=yesterday, settled=timedelta(0)) is None


async def test_pages_come_to_the_digest_and_any_change_is_told(
    server: Any,  # noqa: ANN401 - the fixture
    database_url: str,
    tmp_path: Path,
) -> None:
    day = {"day": str(DAY)}
    async with pledged(database_url, tmp_path) as living:
        await add(server, database_url, DAY, 5)
        digest = (await living.ask(f"{HERE}/access-log/digest", params=day)).json()
        assert (digest["stored"]["entries"], "recorded" in digest) == (5, False)
    async with alive(database_url, tmp_path) as living:  # what is due is done when a process begins
        while "recorded" not in digest:
            digest = (await living.ask(f"{HERE}/access-log/digest", params=day)).json()
        assert digest["is_unchanged"] is True
        assert digest["recorded"]["sha256"] == digest["stored"]["sha256"]
        entries: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            page = (await living.ask(f"{HERE}/access-log", params={**day, "limit": 2, **cursor})).json()
            entries += page["entries"]
            if "next" not in page:
                break
            cursor = {"cursor": page["next"]}
        spelled = b"".join(msgspec.json.encode(each, order="sorted") + b"\n" for each in entries)
        assert (len(entries), hashlib.sha256(spelled).hexdigest()) == (5, digest["stored"]["sha256"])
        await run_sql(server, database_url, "UPDATE access_log SET person = 'p-nobodynobo' WHERE day = $1", DAY)
        assert (await living.ask(f"{HERE}/access-log/digest", params=day)).json()["is_unchanged"] is False


@pytest.mark.parametrize("cursor", ["AAAA", "not base64 ~"])
async def test_cursor_of_no_page_is_refused(database_url: str, tmp_path: Path, cursor: str) -> None:
    async with pledged(database_url, tmp_path) as living:
        answer = await living.ask(f"{HERE}/access-log", params={"day": str(DAY), "cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad-cursor")
