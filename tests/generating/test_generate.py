"""Generated provinces: valid, the same for the same plan, gone on with after a break, never mixed with other data."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from emulation_saas.__main__ import main
from emulation_saas.disputes.events import EVENTS as DISPUTE_EVENTS
from emulation_saas.generating.provinces import EVENTS_A_YEAR, YEAR_NOW, Plan, generate
from emulation_saas.generating.running import Summary
from emulation_saas.kernel.events import AnyRecorded, Event
from emulation_saas.kernel.ids import OPERATOR
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.postgres.database import open_database
from emulation_saas.postgres.embedded import EmbeddedPostgres
from emulation_saas.projecting.folding import NEVER, fold
from emulation_saas.provinces.use_cases import ProvinceHandleTaken
from projections import PROJECTIONS
from tests.database import drop_database, fresh_database
from tests.logs import keep_master_key, logs_of, open_province, running_logs

PLAN = Plan(province="sinh", seed=7, blocs=2, years=1)


def facts_of(recorded: list[AnyRecorded]) -> list[str]:
    """Return what happened, in no order; without the log's own identity and the positions that disputes name."""
    return sorted(
        f"{each.event.type} {each.actor} {'' if isinstance(each.event, DISPUTE_EVENTS) else _spelled(each.event)}"
        for each in recorded[1:]
    )


def _spelled(event: Event) -> str:
    return msgspec.json.encode(event).decode()


@pytest.fixture(scope="module")
def made(server: EmbeddedPostgres) -> Iterator[tuple[str, list[AnyRecorded]]]:
    """A database with a generated province, and what its log holds."""

    async def make() -> tuple[str, list[AnyRecorded]]:
        url = await fresh_database(server)
        async with running_logs(url) as logs:
            return url, await (await generate(logs, PLAN)).recorded()

    url, recorded = asyncio.run(make())
    yield url, recorded
    asyncio.run(drop_database(server, url))


@pytest.fixture(scope="module")
def recorded(made: tuple[str, list[AnyRecorded]]) -> list[AnyRecorded]:
    """The log of a generated province."""
    return made[1]


async def test_a_second_run_records_nothing(made: tuple[str, list[AnyRecorded]]) -> None:
    url, recorded = made
    async with running_logs(url) as logs:
        again = await generate(logs, PLAN)
        assert (await again.head()).position == len(recorded)
        with pytest.raises(ProvinceHandleTaken):
            await generate(logs, replace(PLAN, seed=8))


def test_every_document_can_be_folded_and_nothing_contradicts_itself(recorded: list[AnyRecorded]) -> None:
    for projection in PROJECTIONS:
        documents: dict[str, Any] = {}
        for each in recorded:
            if type(each.event) in projection.read_types:
                for key in projection.keys_of(each):
                    state = documents[key].state if key in documents else projection.initial()
                    assert projection.contradiction(state, each) is None
            fold(projection, documents, [each])
        assert documents
        assert [document.reason for document in documents.values() if document.stopped_at != NEVER] == []


def test_a_year_has_all_of_its_parts_and_is_closed(recorded: list[AnyRecorded]) -> None:
    kinds = {each.event.type for each in recorded}
    assert kinds >= {
        "agency.renamed.v1",
        "ballot.counted.v1",
        "ballot.vote-cast.v1",
        "dispute.upheld.v1",
        "meeting.held.v1",
        "nomination.forwarded.v1",
        "office.appointed.v1",
        "office.elected.v1",
        "pledge.signed.v1",
        "rating.received.v1",
        "scoring.ranking-frozen.v1",
        "scoring.score-appraised.v1",
        "year.closed.v1",
    }
    assert sum(each.event.type == "year.closed.v1" for each in recorded) == PLAN.blocs * PLAN.years
    corrections = [each for each in recorded if each.causation is not None]
    assert {recorded[each.causation - 1].event.type for each in corrections if each.causation} == {"dispute.upheld.v1"}


def test_what_was_before_is_entered_as_from_paper(recorded: list[AnyRecorded]) -> None:
    sheets = [each for each in recorded if each.event.type == "scoring.self-score-submitted.v1"]
    assert {each.time.year for each in sheets} == {YEAR_NOW - 1}
    assert all(each.time < each.recorded_at for each in sheets)
    votes = [each for each in recorded if each.event.type == "ballot.vote-cast.v1"]
    assert all((each.recorded_at - each.time).total_seconds() < 1 for each in votes)


async def test_a_run_that_broke_off_goes_on_to_the_same_facts(recorded: list[AnyRecorded], database_url: str) -> None:
    async with open_database(database_url) as database:
        async with logs_of(database) as logs:
            await logs.open(PLAN.province, PLAN.roster().opening(), by=Acting(OPERATOR))
            broken = await logs.find(PLAN.province)
            assert broken is not None
            running = asyncio.create_task(generate(logs, PLAN))
            await broken.past(200)
            running.cancel()
            await asyncio.wait([running])
            position = (await broken.head()).position
        async with logs_of(database) as logs:
            whole = await generate(logs, PLAN)
            assert (await whole.head()).position > position
            assert facts_of(await whole.recorded()) == facts_of(recorded)


async def test_a_province_that_holds_other_data_is_refused(database_url: str) -> None:
    async with running_logs(database_url) as logs:
        opened = await open_province(logs, PLAN.province)
        before = (await opened.log.head()).position
        with pytest.raises(ProvinceHandleTaken):
            await generate(logs, PLAN)
        assert (await opened.log.head()).position == before


def test_the_command_tells_what_it_made_and_refuses_what_it_did_not_make(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = str(keep_master_key(tmp_path))
    asked = ["generate", "--blocs", "1", "--years", "1", "--database-url", database_url, "--master-key", key, "--json"]
    assert main(asked) == 0
    made = msgspec.json.decode(capsys.readouterr().out, type=Summary)
    assert made.provinces[0].position == made.events > EVENTS_A_YEAR
    assert main(asked) == 0
    assert msgspec.json.decode(capsys.readouterr().out, type=Summary).events == 0
    assert main([*asked, "--seed", "2"]) == 1
    assert "province-handle-taken" in capsys.readouterr().err
