"""The arithmetic of standings, as laws."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from emulation_saas.kernel.ids import AgencyId
from emulation_saas.scoring.ranking import rank, total_of

points = st.decimals(min_value=0, max_value=10**9, places=6)
few_points = st.integers(min_value=0, max_value=3).map(Decimal)
criteria = st.sampled_from(["plan", "reform", "movement", "party", "reports"])
sheets = st.dictionaries(criteria, points)
agencies = st.text("abc-", min_size=1, max_size=3).map(AgencyId)
tables = st.dictionaries(agencies, few_points, max_size=12)


def test_nothing_scored_is_not_zero() -> None:
    assert total_of({}, {}) is None
    assert total_of({"plan": Decimal(0)}, {}) == 0
    assert total_of({}, {"plan": Decimal(0)}) == 0


@given(claimed=sheets, appraised=sheets)
def test_total_is_the_exact_sum_of_what_counts_for_each_criterion(
    claimed: dict[str, Decimal], appraised: dict[str, Decimal]
) -> None:
    micro = [int(appraised.get(name, claimed.get(name, Decimal(0))) * 10**6) for name in claimed.keys() | appraised]
    total = total_of(claimed, appraised)
    assert total is None if not micro else total is not None and total * 10**6 == sum(micro)


@given(claimed=sheets, appraised=sheets, criterion=criteria, more=points)
def test_raising_an_appraisal_never_lowers_the_total(
    claimed: dict[str, Decimal], appraised: dict[str, Decimal], criterion: str, more: Decimal
) -> None:
    before = total_of(claimed, {**appraised, criterion: Decimal(1)})
    after = total_of(claimed, {**appraised, criterion: 1 + more})
    assert before is not None
    assert after is not None
    assert after - before == more


@given(totals=tables, data=st.data())
def test_ranking_is_blind_to_the_order_of_its_rows(totals: dict[AgencyId, Decimal], data: st.DataObject) -> None:
    shuffled = dict(data.draw(st.permutations(list(totals.items()))))
    assert rank(shuffled) == rank(totals)


@given(totals=tables)
def test_rank_is_one_more_than_those_with_more_points(totals: dict[AgencyId, Decimal]) -> None:
    rows = rank(totals)
    assert {row.agency: row.points for row in rows} == totals
    assert all(row.rank == 1 + sum(other > row.points for other in totals.values()) for row in rows)
    assert rows == sorted(rows, key=lambda row: (row.rank, row.agency))


@given(totals=tables.filter(bool), data=st.data(), more=few_points)
def test_more_points_never_worsen_a_rank(totals: dict[AgencyId, Decimal], data: st.DataObject, more: Decimal) -> None:
    agency = data.draw(st.sampled_from(sorted(totals)))
    before = {row.agency: row.rank for row in rank(totals)}
    after = {row.agency: row.rank for row in rank({**totals, agency: totals[agency] + more})}
    assert after[agency] <= before[agency]
    assert all(after[other] >= before[other] for other in totals if other != agency)


def test_those_who_tie_share_a_rank_and_the_next_is_skipped() -> None:
    rows = rank({AgencyId("c"): Decimal(1), AgencyId("b"): Decimal("2.50"), AgencyId("a"): Decimal("2.5")})
    assert [(row.agency, row.rank) for row in rows] == [("a", 1), ("b", 1), ("c", 3)]
