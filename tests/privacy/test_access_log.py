"""No name is shown, and no auditor is answered, without a line in the access log; nobody else pays for it."""

from pathlib import Path
from typing import Any, Final

import pytest

from emulation_saas.kernel.clock import day_of, utc_now
from tests.privacy.living import ERASURE, HERE, NAME, PLEDGE, SIGNER, STANDINGS, Living, pledged, run_sql

LINES: Final = "SELECT person, request, as_of, position, reason FROM access_log ORDER BY at"


async def lines(server: Any, living: Living) -> list[tuple[Any, ...]]:  # noqa: ANN401 - the fixture
    """Return all lines, in order."""
    return [tuple(row) for row in await run_sql(server, living.url, LINES)]


async def test_answer_that_shows_a_name_is_on_record_and_one_that_shows_none_is_not(
    server: Any,  # noqa: ANN401 - the fixture
    database_url: str,
    tmp_path: Path,
) -> None:
    async with pledged(database_url, tmp_path) as living:
        assert await lines(server, living) == []
        await living.ask(STANDINGS)
        await living.ask(HERE)
        assert await lines(server, living) == []
        shown = await living.ask(PLEDGE, params={"as_of": "11"})
        assert (NAME in shown.text, shown.headers["cache-control"]) == (True, "no-store")
        ((person, *line),) = await lines(server, living)
        assert line == [f"GET {PLEDGE}", "11", 11, "names"]
        assert person.startswith("p-")
        before = await living.ask(PLEDGE, params={"as_of": "10"})
        assert (before.status_code, NAME in before.text) == (200, False)
        assert len(await lines(server, living)) == 1, "nobody had signed yet"
        again = await living.ask(PLEDGE, headers={"if-none-match": (await living.ask(PLEDGE)).headers["etag"]})
        assert again.status_code == 304, "it says that the name still stands"
        assert len(await lines(server, living)) == 3
        await living.done(f"{HERE}/persons/{SIGNER}/erase", ERASURE)
        assert (await living.ask(PLEDGE)).status_code == 200
        assert len(await lines(server, living)) == 3, "no name is left"


@pytest.mark.parametrize(
    ("path", "status"),
    [(HERE, 200), (STANDINGS, 200), (f"{HERE}/log", 200), (f"{HERE}/blocs/khac", 404), (f"{HERE}?as_of=999999", 422)],
)
async def test_every_read_by_an_auditor_is_on_record(
    server: Any,  # noqa: ANN401 - the fixture
    database_url: str,
    tmp_path: Path,
    path: str,
    status: int,
) -> None:
    async with pledged(database_url, tmp_path) as living:
        auditor = await living.empower("auditor", "auditor")
        assert (await living.ask(path, sub="auditor")).status_code == status
        ((person, request, as_of, position, reason),) = await lines(server, living)
        assert (person, request, reason) == (auditor, f"GET {path.partition('?')[0]}", "auditor")
        assert as_of == (path.partition("as_of=")[2] or None)
        assert (position is None) == (status != 200)


async def test_auditor_who_is_shown_a_name_is_on_record_for_both(
    server: Any,  # noqa: ANN401 - the fixture
    database_url: str,
    tmp_path: Path,
) -> None:
    async with pledged(database_url, tmp_path) as living:
        await living.empower("auditor", "auditor")
        assert NAME in (await living.ask(PLEDGE, sub="auditor")).text
        assert [line[-1] for line in await lines(server, living)] == ["auditor names"]


async def test_without_its_record_no_answer_is_given(
    server: Any,  # noqa: ANN401 - the fixture
    database_url: str,
    tmp_path: Path,
) -> None:
    async with pledged(database_url, tmp_path) as living:
        await living.empower("auditor", "auditor")
        await run_sql(server, database_url, "REVOKE INSERT ON access_log FROM emulation_app")
        for path, sub in ((PLEDGE, "admin"), (HERE, "auditor")):
            refused = await living.ask(path, sub=sub)
            assert (refused.status_code, refused.json()["code"]) == (503, "read-not-recorded")
            assert refused.headers["retry-after"] == "1"
            assert NAME not in refused.text
        assert (await living.ask(STANDINGS)).status_code == 200, "a read that needs no record"
        await living.done(f"{HERE}/agencies", {"agency": "a", "name": "A", "effective_on": "2020-01-01"})


async def test_access_log_is_read_by_auditors_and_administrators_and_that_is_on_record(
    server: Any,  # noqa: ANN401 - the fixture
    database_url: str,
    tmp_path: Path,
) -> None:
    today = {"day": str(day_of(utc_now()))}
    async with pledged(database_url, tmp_path) as living:
        for sub, role in (("auditor", "auditor"), ("council", "council-member")):
            await living.empower(sub, role)
        for path in (f"{HERE}/access-log", f"{HERE}/access-log/digest"):
            assert (await living.ask(path, sub="council", params=today)).status_code == 403
            assert (await living.ask(path)).json()["code"] == "malformed-parameter"
        assert await lines(server, living) == []
        assert (await living.ask(f"{HERE}/access-log", params=today)).json()["entries"] == []
        page = (await living.ask(f"{HERE}/access-log", sub="auditor", params=today)).json()
        (entry,) = page["entries"]
        assert (entry["request"], entry["reason"]) == (f"GET {HERE}/access-log", "access-log")
        assert [line[-1] for line in await lines(server, living)] == ["access-log", "access-log auditor"]


async def test_lines_hold_no_query_and_no_text_of_the_caller(
    server: Any,  # noqa: ANN401 - the fixture
    database_url: str,
    tmp_path: Path,
) -> None:
    async with pledged(database_url, tmp_path) as living:
        await living.empower("auditor", "auditor")
        await living.ask(f"{HERE}/agencies?as_of=Nguyễn&cursor=Trần", sub="auditor")
        await living.ask(f"{HERE}/agencies/Lê", sub="auditor")
        assert [line[1:3] for line in await lines(server, living)] == [(f"GET {HERE}/agencies", None)]


async def test_question_about_a_document_is_on_record_with_what_it_asked_about(
    server: Any,  # noqa: ANN401 - the fixture
    database_url: str,
    tmp_path: Path,
) -> None:
    path = PLEDGE.removeprefix(HERE)
    async with pledged(database_url, tmp_path) as living:
        await living.empower("auditor", "auditor")
        await living.ask(f"{HERE}/explain", sub="auditor", params={"path": path})
        await living.ask(f"{HERE}/diff", sub="auditor", params={"path": path, "from": "10", "to": "11"})
        await living.ask(f"{HERE}/diff", sub="auditor", params={"path": path, "from": "Nguyễn", "to": "11"})
        await living.do(f"{HERE}/what-if", {"path": path, "as_of": 10}, sub="auditor")
        assert [line[1] for line in await lines(server, living)] == [
            f"GET {HERE}/explain?path={path}",
            f"GET {HERE}/diff?path={path}&from=10&to=11",
            f"GET {HERE}/diff?path={path}&to=11",
            f"POST {HERE}/what-if?path={path}&as_of=10",
        ]
