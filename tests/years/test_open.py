"""Opening a bloc's year with its scheme and rules."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given as sampled
from hypothesis import strategies as st
from msgspec import UNSET, structs

from emulation_saas.blocs.events import BlocEstablished, MemberAdmitted, NoSuchBloc
from emulation_saas.kernel.authority import Authority
from emulation_saas.kernel.ids import AgencyId, BlocId
from emulation_saas.kernel.rejections import Invalid, NotEmpowered
from emulation_saas.years.events import (
    Criterion,
    NoSuchYear,
    Rules,
    RulesV1,
    Scheme,
    Year,
    YearClosed,
    YearLaunched,
    YearOpened,
    YearOpenedV1,
    YearOver,
)
from emulation_saas.years.schemes import (
    MaximaTooLarge,
    MaximumNotPositive,
    MaximumNotTheSum,
    ParentAfterChild,
    ParentMissing,
    SchemeCriterionTwice,
    require_sound,
)
from emulation_saas.years.use_cases import Course, OpenYear, YearAlreadyOpened
from tests.scenario import ADMIN, AUDITOR, COUNCIL, NOBODY, SOMEBODY, given, representing, secretary_of

TM1 = BlocId("tham-muu-1")

established = BlocEstablished(
    bloc=TM1, name="Khối Tham mưu I", aliases=[], kind="khoi", effective_on=date(2022, 12, 1), legal_basis="QĐ 12"
)
HEAD = Authority(person=SOMEBODY, known=True, offices=frozenset({(TM1, 2024, "head")}))
DEPUTY = Authority(person=SOMEBODY, known=True, offices=frozenset({(TM1, 2024, "deputy")}))
LAST_HEAD = Authority(person=SOMEBODY, known=True, offices=frozenset({(TM1, 2023, "head")}))


def node(criterion: str, points: str, parent: str | None = None) -> Criterion:
    return Criterion(
        criterion=criterion,
        title=f"Tiêu chí {criterion}",
        parent=UNSET if parent is None else parent,
        points_max=Decimal(points),
    )


def scheme(*nodes: Criterion) -> Scheme:
    return Scheme(title="Bảng điểm 2024", criteria=list(nodes))


SOUND = scheme(
    node("i", "60.3"),
    node("i-1", "60.1", "i"),
    node("i-2", "0.2", "i"),
    node("i-2-a", "0.1", "i-2"),
    node("i-2-b", "0.1", "i-2"),
    node("ii", "40"),
)
RULES = Rules(
    legal_basis="Luật 06/2022/QH15",
    self_scores_close_at=datetime(2024, 12, 15, tzinfo=UTC),
    leaders_max=1,
    self_vote=True,
    disputes_suspend_nominations=False,
)
opened = YearOpened(bloc=TM1, year=2024, scheme=SOUND, rules=RULES)
opening = OpenYear(bloc=TM1, year=2024, scheme=SOUND, rules=RULES)


@pytest.mark.parametrize("may", [ADMIN, secretary_of(TM1), HEAD, DEPUTY])
def test_whoever_runs_the_year_opens_it(may: Authority) -> None:
    given(established).when(opening, may).then(opened)


@pytest.mark.parametrize(
    "may",
    [NOBODY, COUNCIL, AUDITOR, LAST_HEAD, secretary_of("tham-muu-2"), representing("so-noi-vu", blocs=[TM1])],
)
def test_nobody_else_opens_a_year(may: Authority) -> None:
    given(established).when(opening, may).then_rejected(NotEmpowered)


def test_unknown_bloc_has_no_year() -> None:
    given().when(opening, ADMIN).then_rejected(NoSuchBloc)


def test_year_is_opened_again_only_as_it_is() -> None:
    given(established, opened).when(opening, ADMIN).then_recorded_nothing()


@pytest.mark.parametrize(
    "other",
    [
        replace(opening, scheme=scheme(node("i", "100"))),
        replace(
            opening, rules=Rules(legal_basis="khác", leaders_max=1, self_vote=True, disputes_suspend_nominations=False)
        ),
    ],
)
def test_scheme_and_rules_are_never_replaced(other: OpenYear) -> None:
    given(established, opened).when(other, ADMIN).then_rejected(YearAlreadyOpened)


@pytest.mark.parametrize(
    "rules", [structs.replace(RULES, dispute_answer_days=10), structs.replace(RULES, disputes_suspend_nominations=True)]
)
def test_rules_of_disputes_stand_from_the_opening_on(rules: Rules) -> None:
    ruled = replace(opening, rules=rules)
    given(established).when(ruled, ADMIN).then(YearOpened(bloc=TM1, year=2024, scheme=SOUND, rules=rules))
    given(established, opened).when(ruled, ADMIN).then_rejected(YearAlreadyOpened)


def test_year_opened_before_rules_spoke_of_disputes_has_no_term_and_lets_nothing_rest() -> None:
    earlier = RulesV1(
        legal_basis=RULES.legal_basis,
        self_scores_close_at=RULES.self_scores_close_at,
        leaders_max=RULES.leaders_max,
        self_vote=RULES.self_vote,
    )
    long_ago = YearOpenedV1(bloc=TM1, year=2024, scheme=SOUND, rules=earlier)
    assert long_ago.upcast() == opened
    assert (RULES.dispute_answer_days, RULES.disputes_suspend_nominations) == (UNSET, False)
    given(established, long_ago.upcast()).when(opening, ADMIN).then_recorded_nothing()


def test_closed_year_is_not_opened_anew() -> None:
    other = replace(opening, scheme=scheme(node("i", "100")))
    given(established, opened, YearClosed(bloc=TM1, year=2024)).when(other, ADMIN).then_rejected(YearAlreadyOpened)


def test_another_year_of_the_bloc_is_another_matter() -> None:
    other = YearOpened(bloc=TM1, year=2023, scheme=scheme(node("i", "100")), rules=RULES)
    given(established, other).when(opening, ADMIN).then(opened)


@pytest.mark.parametrize(
    ("unsound", "rejection"),
    [
        (scheme(node("i", "10"), node("i", "10")), SchemeCriterionTwice),
        (scheme(node("i", "10", "ii")), ParentMissing),
        (scheme(node("i-1", "10", "i"), node("i", "10")), ParentAfterChild),
        (scheme(node("i", "10", "i")), ParentAfterChild),
        (scheme(node("i", "10", "ii"), node("ii", "10", "i")), ParentAfterChild),
        (scheme(node("i", "10"), node("ii", "0")), MaximumNotPositive),
        (scheme(node("i", "0"), node("i-1", "5", "i"), node("i-2", "-5", "i")), MaximumNotPositive),
        (scheme(node("i", "0"), node("i-1", "5", "i")), MaximumNotTheSum),
        (scheme(node("i", "0.3"), node("i-1", "0.1", "i"), node("i-2", "0.1", "i")), MaximumNotTheSum),
        (
            scheme(node("i", "10"), node("i-1", "10", "i"), node("i-1-a", "4", "i-1"), node("i-1-b", "5", "i-1")),
            MaximumNotTheSum,
        ),
    ],
)
def test_unsound_scheme_is_refused_by_its_fault(unsound: Scheme, rejection: type[Invalid]) -> None:
    given(established).when(replace(opening, scheme=unsound), ADMIN).then_rejected(rejection)


def test_smallest_difference_is_no_equality() -> None:
    off = scheme(node("i", "999999999999999.999999"), node("i-1", "999999999999999.999998", "i"))
    given(established).when(replace(opening, scheme=off), ADMIN).then_rejected(MaximumNotTheSum)


def test_total_of_sixteen_digits_is_refused_and_one_millionth_less_is_not() -> None:
    most = [node("i", "999999999999998"), node("ii", "1.999999")]
    given(established).when(replace(opening, scheme=scheme(*most)), ADMIN).then(
        YearOpened(bloc=TM1, year=2024, scheme=scheme(*most), rules=opening.rules)
    )
    more = scheme(*most, node("iii", "0.000001"))
    given(established).when(replace(opening, scheme=more), ADMIN).then_rejected(MaximaTooLarge)


LEAF_POINTS = st.decimals(Decimal("0.000001"), Decimal(10**12), places=6)


@st.composite
def trees(draw: st.DrawFn) -> Scheme:
    """Draw the shape, then the leaves' points, then add up from the last node to the first."""
    earlier = (st.none() | st.integers(0, count - 1) for count in range(1, draw(st.integers(1, 20))))
    parents: list[int | None] = [None, *(draw(parent) for parent in earlier)]
    points = [Decimal(0)] * len(parents)
    for place in reversed(range(len(parents))):
        if place not in parents:
            points[place] = draw(LEAF_POINTS)
        parent = parents[place]
        if parent is not None:
            points[parent] += points[place]
    return scheme(
        *(
            node(f"c-{place}", str(points[place]), None if parent is None else f"c-{parent}")
            for place, parent in enumerate(parents)
        )
    )


@sampled(trees())
def test_every_tree_that_adds_up_is_sound(tree: Scheme) -> None:
    require_sound(tree)
    assert sum(tree.leaves().values()) == sum(root.points_max for root in tree.criteria if root.parent is UNSET)


@sampled(trees(), st.data())
def test_tree_in_which_one_maximum_of_a_branch_is_changed_is_unsound(tree: Scheme, data: st.DataObject) -> None:
    changed = data.draw(st.sampled_from(tree.criteria))
    is_lonely = changed.parent is UNSET and changed.criterion in tree.leaves()
    other = scheme(
        *(
            Criterion(
                criterion=each.criterion,
                title=each.title,
                parent=each.parent,
                points_max=each.points_max + Decimal("0.000001") if each is changed else each.points_max,
            )
            for each in tree.criteria
        )
    )
    if is_lonely:
        require_sound(other)
    else:
        with pytest.raises(MaximumNotTheSum):
            require_sound(other)


def test_year_never_opened_admits_nothing() -> None:
    with pytest.raises(NoSuchYear):
        Year().require_open()


def test_open_year_gives_its_scheme_and_rules() -> None:
    assert Year().after(opened).require_open() == (SOUND, RULES)
    assert Year().after(opened).is_opened


def test_closed_year_admits_nothing() -> None:
    with pytest.raises(YearOver):
        Year().after(opened).after(YearClosed(bloc=TM1, year=2024)).require_open()


def test_year_keeps_what_it_was_when_other_things_happen() -> None:
    year = Year().after(opened).after(YearLaunched(bloc=TM1, year=2024, text="Thi đua"))
    assert year.after(established) == year
    assert year.is_launched
    admitted = MemberAdmitted(bloc=TM1, agency=AgencyId("so-noi-vu"), effective_on=date(2023, 1, 1), legal_basis="QĐ")
    assert OpenYear.evolve(Course(), admitted) == Course()
