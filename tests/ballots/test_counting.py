"""Who is chosen: cases told in numbers, and laws that hold for every count."""

from fractions import Fraction
from random import Random
from typing import Final, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation_saas.ballots.counting import Counts, base_count, end_of, outcomes, tally, votes_needed
from emulation_saas.ballots.events import (
    BallotCounted,
    BallotOpened,
    Base,
    Choice,
    Comparison,
    OptionVotes,
    Outcome,
    Question,
    Rule,
    Tie,
)
from emulation_saas.ballots.papers import OPTIONS_MAX, QUESTIONS_MAX, ROLL_MAX
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId
from emulation_saas.kernel.numbers import Share

EVENT_BYTES_MAX: Final = 65_535
ENVELOPE_BYTES_MAX: Final = 1_000
"""Everything of an event but its data, amply."""
FOUR_BYTES: Final = "\N{GRINNING FACE}"
"""No character takes more in UTF-8."""


def share(num: int, den: int) -> Share:
    return Share(num=num, den=den)


@pytest.mark.parametrize(
    ("base", "threshold", "comparison", "needed"),
    [
        (10, (1, 2), ">=", 5),
        (10, (1, 2), ">", 6),
        (9, (1, 2), ">=", 5),
        (9, (1, 2), ">", 5),
        (10, (2, 3), ">=", 7),
        (9, (2, 3), ">=", 6),
        (9, (2, 3), ">", 7),
        (10, (9, 10), ">=", 9),
        (11, (90, 100), ">=", 10),
        (10, (1, 1), ">=", 10),
        (10, (1, 1), ">", 11),
        (10, (1, 1000), ">=", 1),
        (0, (1, 2), ">=", 1),
        (0, (1, 2), ">", 1),
    ],
)
def test_fewest_votes_that_pass(base: int, threshold: tuple[int, int], comparison: Comparison, needed: int) -> None:
    assert votes_needed(base, threshold=share(*threshold), comparison=comparison) == needed


@pytest.mark.parametrize(("base", "num", "den"), [(-1, 1, 2), (10, 0, 1), (10, 3, 2), (10, -1, -2)])
def test_what_is_no_share_of_a_count_is_a_bug(base: int, num: int, den: int) -> None:
    with pytest.raises(ValueError, match="not a share of a count"):
        votes_needed(base, threshold=share(num, den), comparison=">=")


@pytest.mark.parametrize(
    ("base", "of"), [("electorate", 10), ("present", 9), ("issued", 8), ("collected", 7), ("valid", 6)]
)
def test_every_base_is_one_of_the_counts(base: Base, of: int) -> None:
    assert base_count(base, Counts(electorate=10, present=9, issued=8, collected=7, valid=6, invalid=1)) == of


@pytest.mark.parametrize(
    ("tie", "seats", "votes", "chosen", "tied"),
    [
        ("revote", 1, "a9 b1", "a", ""),
        ("revote", 1, "a5 b5", "", "a b"),
        ("by_score", 1, "a5 b5", "", "a b"),
        ("draw", 1, "a5 b5", "", "a b"),
        ("none", 1, "a5 b5", "", "a b"),
        ("all", 1, "a5 b5", "a b", ""),
        ("revote", 2, "a5 b5", "a b", ""),
        ("revote", 2, "a6 b9 c6", "b", "a c"),
        ("all", 2, "a6 b9 c6", "b a c", ""),
        ("none", 2, "a6 b9 c6", "b", "a c"),
        ("revote", 2, "a6 b9 c7", "b c", ""),
        ("revote", 3, "a4 b9 c4", "b", ""),
        ("revote", 1, "a4 b4", "", ""),
        ("revote", 5, "c7 a7 b9", "b c a", ""),
        ("revote", 2, "a9 b8 c8 d8", "a", "b c d"),
    ],
)
def test_best_of_those_that_pass_are_chosen(tie: Tie, seats: int, votes: str, chosen: str, tied: str) -> None:
    got = {text[0]: int(text[1:]) for text in votes.split()}
    rule = Rule(base="electorate", threshold=share(1, 2), quorum=share(2, 3), comparison=">=", seats=seats, tie=tie)
    counts = Counts(electorate=10, present=10, issued=10, collected=10, valid=10, invalid=0)
    question = Question(question="q", title="Cờ", options=list(got))
    listed = [OptionVotes(question="q", option=option, votes=number) for option, number in got.items()]
    assert outcomes([question], rule, counts, listed) == [
        Outcome(question="q", chosen=chosen.split(), tied=tied.split())
    ]


@pytest.mark.parametrize(("present", "chosen"), [(6, []), (7, ["a"])])
def test_below_the_quorum_nothing_is_chosen(present: int, chosen: list[str]) -> None:
    rule = Rule(base="present", threshold=share(1, 2), quorum=share(2, 3), comparison=">", seats=1, tie="all")
    counts = Counts(electorate=10, present=present, issued=6, collected=6, valid=6, invalid=0)
    question = Question(question="q", title="Cờ", options=["a"])
    votes = [OptionVotes(question="q", option="a", votes=6)]
    assert outcomes([question], rule, counts, votes)[0].chosen == chosen


class Case(msgspec.Struct, frozen=True):
    """A counted ballot, with the papers behind it."""

    questions: list[Question]
    rule: Rule
    counts: Counts
    papers: list[list[Choice]]

    def votes(self) -> list[OptionVotes]:
        return tally(self.questions, self.papers)

    def outcomes(self) -> list[Outcome]:
        return outcomes(self.questions, self.rule, self.counts, self.votes())


shares = st.integers(1, 7).flatmap(lambda den: st.builds(Share, num=st.integers(1, den), den=st.just(den)))
rules = st.builds(
    Rule,
    base=st.sampled_from(get_args(Base)),
    threshold=shares,
    quorum=shares,
    comparison=st.sampled_from(get_args(Comparison)),
    seats=st.integers(1, 4),
    tie=st.sampled_from(get_args(Tie)),
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=2))
    questions = [
        Question(question=f"q{number}", title="Cờ", options=[f"o{option}" for option in range(size)])
        for number, size in enumerate(sizes)
    ]
    rule = draw(rules)
    electorate = draw(st.integers(1, 9))
    present, issued = draw(st.integers(0, electorate)), draw(st.integers(0, electorate))
    collected = draw(st.integers(0, issued))
    valid = draw(st.integers(0, collected))
    papers = [
        [
            Choice(
                question=question.question,
                options=draw(st.lists(st.sampled_from(question.options), max_size=rule.seats, unique=True)),
            )
            for question in questions
        ]
        for _ in range(valid)
    ]
    counts = Counts(
        electorate=electorate,
        present=present,
        issued=issued,
        collected=collected,
        valid=valid,
        invalid=collected - valid,
    )
    return Case(questions, rule, counts, papers)


def obvious(case: Case, question: Question) -> Outcome:
    """Judge each option by itself, with fractions: how many passing ones have as many votes, how many have more."""
    rule, counts = case.rule, case.counts
    got = dict.fromkeys(question.options, 0)
    for paper in case.papers:
        for choice in paper:
            if choice.question == question.question:
                for option in choice.options:
                    got[option] += 1
    whole: int = getattr(counts, rule.base)
    limit = Fraction(rule.threshold.num, rule.threshold.den) * whole
    quorate = Fraction(counts.present, counts.electorate) >= Fraction(rule.quorum.num, rule.quorum.den)
    passing = [
        option
        for option in question.options
        if quorate and got[option] > 0 and (got[option] > limit or (rule.comparison == ">=" and got[option] == limit))
    ]
    chosen: list[str] = []
    tied: list[str] = []
    for option in passing:
        as_good = [other for other in passing if got[other] >= got[option]]
        better = [other for other in passing if got[other] > got[option]]
        if len(as_good) <= rule.seats or (rule.tie == "all" and len(better) < rule.seats):
            chosen.append(option)
        elif len(better) < rule.seats:
            tied.append(option)
    for found in (chosen, tied):
        found.sort(key=lambda option: (-got[option], question.options.index(option)))
    return Outcome(question=question.question, chosen=chosen, tied=tied)


@given(case=cases())
def test_outcomes_agree_with_the_obvious(case: Case) -> None:
    assert case.outcomes() == [obvious(case, question) for question in case.questions]


@given(base=st.integers(0, 1000), threshold=shares, comparison=st.sampled_from(get_args(Comparison)))
def test_votes_needed_pass_and_one_fewer_does_not(base: int, threshold: Share, comparison: Comparison) -> None:
    def passes(votes: int) -> bool:
        got, limit = Fraction(votes), Fraction(threshold.num, threshold.den) * base
        return votes > 0 and (got > limit if comparison == ">" else got >= limit)

    needed = votes_needed(base, threshold=threshold, comparison=comparison)
    assert passes(needed)
    assert not passes(needed - 1)


@given(case=cases(), seed=st.integers(0, 2**32))
def test_order_of_papers_votes_and_options_decides_nothing(case: Case, seed: int) -> None:
    random = Random(seed)  # noqa: S311 - a shuffle that hypothesis can repeat
    papers, votes = list(case.papers), case.votes()
    random.shuffle(papers)
    assert tally(case.questions, papers) == votes
    shuffled = list(votes)
    random.shuffle(shuffled)
    assert outcomes(case.questions, case.rule, case.counts, shuffled) == case.outcomes()
    turned = [
        msgspec.structs.replace(question, options=random.sample(question.options, len(question.options)))
        for question in case.questions
    ]
    for before, after in zip(case.outcomes(), outcomes(turned, case.rule, case.counts, votes), strict=True):
        assert (set(before.chosen), set(before.tied)) == (set(after.chosen), set(after.tied))


@given(case=cases(), which=st.integers(0), more=st.integers(1, 3))
def test_more_votes_never_unchoose(case: Case, which: int, more: int) -> None:
    votes = case.votes()
    place = votes[which % len(votes)]
    votes[which % len(votes)] = msgspec.structs.replace(place, votes=place.votes + more)
    raised = outcomes(case.questions, case.rule, case.counts, votes)
    for before, after in zip(case.outcomes(), raised, strict=True):
        if before.question == place.question and place.option in before.chosen:
            assert place.option in after.chosen


@given(case=cases(), which=st.integers(0), is_new=st.booleans())
def test_one_more_voter_for_it_never_unchooses(case: Case, which: int, *, is_new: bool) -> None:
    place = case.votes()[which % len(case.votes())]
    counts = Counts(
        electorate=case.counts.electorate + is_new,
        present=case.counts.present + 1,
        issued=case.counts.issued + 1,
        collected=case.counts.collected + 1,
        valid=case.counts.valid + 1,
        invalid=case.counts.invalid,
    )
    paper = [Choice(question=place.question, options=[place.option])]
    joined = msgspec.structs.replace(case, counts=counts, papers=[*case.papers, paper])
    for before, after in zip(case.outcomes(), joined.outcomes(), strict=True):
        if before.question == place.question and place.option in before.chosen:
            assert place.option in after.chosen


@given(case=cases())
def test_never_more_than_seats_are_chosen_unless_all_tied_are(case: Case) -> None:
    for question, found in zip(case.questions, case.outcomes(), strict=True):
        assert set(found.chosen).isdisjoint(found.tied)
        assert {*found.chosen, *found.tied} <= set(question.options)
        if case.rule.tie == "all":
            assert found.tied == []
        else:
            assert len(found.chosen) <= case.rule.seats
            assert not found.tied or len(found.chosen) < case.rule.seats < len(found.chosen) + len(found.tied)


@given(case=cases())
def test_count_of_papers_always_adds_up(case: Case) -> None:
    case.counts.check()
    assert case.counts.issued >= case.counts.collected == case.counts.valid + case.counts.invalid
    assert sum(each.votes for each in case.votes()) == sum(
        len(choice.options) for paper in case.papers for choice in paper
    )


def test_largest_ballot_and_its_count_fit_an_event() -> None:
    options = [f"{number:0>40}" for number in range(OPTIONS_MAX // QUESTIONS_MAX)]
    questions = [
        Question(question=f"{number:0>40}", title=FOUR_BYTES * 300, options=options) for number in range(QUESTIONS_MAX)
    ]
    ballot = BallotOpened(
        bloc=BlocId("b" * 40),
        year=2023,
        ballot=BallotId("c" * 40),
        title=FOUR_BYTES * 300,
        mode="written_circulation",
        questions=questions,
        roll=[AgencyId(f"{number:0>40}") for number in range(ROLL_MAX)],
        rule=Rule(base="electorate", threshold=share(1, 1), quorum=share(1, 1), comparison=">=", seats=100, tie="all"),
    )
    voted = Counts(
        electorate=ROLL_MAX, present=ROLL_MAX, issued=ROLL_MAX, collected=ROLL_MAX, valid=ROLL_MAX, invalid=0
    )
    papers = [[Choice(question=question.question, options=options) for question in questions]] * ROLL_MAX
    _closed, counted = end_of(ballot, voted, tally(questions, papers))
    assert isinstance(counted, BallotCounted)
    assert all(found.chosen == options for found in counted.outcomes)
    for event in (ballot, counted):
        assert len(msgspec.json.encode(event)) + ENVELOPE_BYTES_MAX <= EVENT_BYTES_MAX
