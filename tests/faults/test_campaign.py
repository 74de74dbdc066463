"""The campaign in short: a few faults of each kind that needs no mounted disk, and mutants that are always caught."""

from pathlib import Path

import pytest

from emulation_saas.postgres.embedded import EmbeddedPostgres
from tests.faults.__main__ import EXPERIMENTS, table
from tests.faults.clocks import jumped
from tests.faults.kills import kill_of_each_kind, killed
from tests.faults.networks import networks
from tests.faults.poisons import poisoned


def quiet(what: str) -> None:
    del what


async def test_kill_of_each_kind_loses_and_invents_nothing(place: Path) -> None:
    outcome = await killed("each", kill_of_each_kind, 4, place, quiet)
    assert outcome.found.is_clean, outcome.found
    assert outcome.tries == 4
    assert outcome.acknowledged > 100


async def test_spoilt_exchanges_lose_and_double_nothing(place: Path) -> None:
    outcome = await networks(30, place, quiet, is_mutant=False)
    assert outcome.found.is_clean, outcome.found
    assert outcome.tries >= 30


@pytest.mark.parametrize("is_mutant", [False, True])
async def test_jumping_clocks_lose_nothing_and_drag_no_log_along(server: EmbeddedPostgres, *, is_mutant: bool) -> None:
    outcome = await jumped(server, 12, quiet, is_mutant=is_mutant)
    assert outcome.found.is_clean != is_mutant, outcome.found
    assert outcome.acknowledged > 0


@pytest.mark.parametrize("is_mutant", [False, True])
async def test_poison_stops_its_document_and_nothing_else(server: EmbeddedPostgres, *, is_mutant: bool) -> None:
    outcome = await poisoned(server, 1, quiet, is_mutant=is_mutant)
    assert outcome.found.is_clean != is_mutant, outcome.found
    assert outcome.tries > 1


def test_each_experiment_has_a_mutant_and_the_whole_is_what_was_promised() -> None:
    assert all(each.mutant and each.mutant_tries > 0 for each in EXPERIMENTS.values())
    kills = sum(EXPERIMENTS[name].tries for name in ("worker", "supervisor", "session", "postmaster"))
    assert kills >= 200
    assert EXPERIMENTS["power"].tries >= 50
    assert EXPERIMENTS["network"].tries >= 2_000


def test_table_says_what_is_wrong() -> None:
    figures: dict[str, object] = dict.fromkeys(("tries", "acknowledged", "lost", "doubled", "gaps", "worst_gap_s"), 1)
    text = table({"power": figures | {"mutant_caught": False, "wrong": ["lost: 1"]}})
    assert "NO" in text
    assert "WRONG lost: 1" in text
