"""The drill itself, in its shortest form: it passes, and what its mutants lose it notices."""

from pathlib import Path

import pytest

from tests.backups.drill import MUTANTS, drill


@pytest.mark.parametrize("mutant", [None, MUTANTS[0]])
async def test_what_the_stream_has_is_there_again_and_nothing_less(place: Path, mutant: str | None) -> None:
    figures = await drill(place, seconds=0.6, writers=4, mutant=mutant, say=lambda _: None)
    assert figures.acknowledged > 0
    assert (figures.lost > 0) is (mutant is not None)
    assert figures.events_restored >= figures.acknowledged - figures.lost
