"""Plans: what is drawn before anything is entered."""

import argparse
import re
from decimal import Decimal

import pytest

from emulation_saas.generating.beginnings import scheme_of
from emulation_saas.generating.desk import person_called
from emulation_saas.generating.names import COMMUNES, CRITERIA, DEPARTMENTS, EXPERT_FOR, handle_of
from emulation_saas.generating.provinces import Plan, blocs_for
from emulation_saas.generating.running import GenerateError, add_arguments, plans_of
from emulation_saas.kernel.ids import PERSON_PATTERN, is_handle
from emulation_saas.years.schemes import require_sound

PLAN = Plan(province="sinh", seed=7, blocs=40, years=20)


def asked(*arguments: str) -> list[Plan]:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return plans_of(parser.parse_args(arguments))


def test_every_name_has_a_handle_of_its_own() -> None:
    names = [*DEPARTMENTS, *COMMUNES]
    handles = {handle_of(name) for name in names}
    assert len(handles) == len(names) == len(set(names))
    assert all(is_handle(handle) for handle in handles)
    assert handle_of("Sở Y tế") == "so-y-te"
    assert handle_of("Đăng ký, phát động thi đua") == "dang-ky-phat-dong-thi-dua"


def test_the_scheme_is_sound_and_worth_a_hundred_points() -> None:
    scheme = scheme_of(2024)
    require_sound(scheme)
    assert sum(scheme.leaves().values()) == Decimal(100)
    assert handle_of(EXPERT_FOR) in scheme.leaves()
    assert len(scheme.leaves()) == sum(len(leaves) for leaves in CRITERIA.values())


def test_the_same_plan_draws_the_same_and_another_seed_something_else() -> None:
    roster = PLAN.roster()
    blocs = [PLAN.bloc(roster, number) for number in range(1, PLAN.blocs + 1)]
    assert blocs == [PLAN.bloc(roster, number) for number in range(1, PLAN.blocs + 1)]
    other = Plan(province="sinh", seed=8, blocs=40, years=20)
    assert blocs != [other.bloc(roster, number) for number in range(1, PLAN.blocs + 1)]


def test_members_leave_and_join_in_the_middle_of_a_year_and_never_twice() -> None:
    roster = PLAN.roster()
    changed = 0
    for number in range(1, PLAN.blocs + 1):
        bloc = PLAN.bloc(roster, number)
        for year in PLAN.closed:
            before, after = bloc.members(year, at_end=False), bloc.members(year, at_end=True)
            assert len({each.agency for each in after}) == len(after) == len(before)
            assert (before != after) == (year in bloc.changes)
            assert after == bloc.members(year + 1, at_end=False)
            changed += year in bloc.changes
    assert 0.2 < changed / (PLAN.blocs * PLAN.years) < 0.4


def test_provinces_are_numbered_and_blocs_follow_from_the_events_wanted() -> None:
    plans = asked("--provinces", "3", "--years", "10", "--events", "100000", "--seed", "5")
    assert [plan.province for plan in plans] == ["du-lieu-sinh-01", "du-lieu-sinh-02", "du-lieu-sinh-03"]
    assert {(plan.blocs, plan.years, plan.seed) for plan in plans} == {(blocs_for(100_000, years=10), 10, 5)}
    assert [plan.blocs for plan in asked("--blocs", "4")] == [4]


def test_more_events_than_there_are_handles_for_is_said() -> None:
    with pytest.raises(GenerateError, match="at most 9999"):
        asked("--years", "1", "--events", "10000000")


@pytest.mark.parametrize("arguments", [("--provinces", "0"), ("--years", "29"), ("--blocs", "x"), ("--events", "0")])
def test_numbers_out_of_range_are_wrong_usage(arguments: tuple[str, str]) -> None:
    with pytest.raises(SystemExit):
        asked(*arguments)


@pytest.mark.parametrize("prefix", ["Bad Prefix!", "", "a" * 38, "sinh\n"])
def test_prefix_that_makes_no_handle_is_wrong_usage(prefix: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert [plan.province for plan in asked("--prefix", "a" * 37)] == ["a" * 37 + "-01"]
    with pytest.raises(SystemExit):
        asked("--prefix", prefix)
    assert "argument --prefix: 1 to 37 of a to z" in capsys.readouterr().err


def test_made_up_persons_have_ids_like_all_others() -> None:
    assert person_called("sinh/admin") == person_called("sinh/admin") != person_called("sinh/council")
    assert re.fullmatch(PERSON_PATTERN, person_called("sinh/admin"))
