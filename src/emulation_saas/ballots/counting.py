"""Who is chosen: whole numbers only, so that everybody who repeats the count gets the same answer.

An option passes iff `votes * den >= num * base` (or `>`). Nothing passes without a vote, nor below the quorum.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from emulation_saas.ballots.events import (
    BallotClosed,
    BallotCounted,
    BallotEvent,
    BallotOpened,
    Base,
    Choice,
    Comparison,
    OptionVotes,
    Outcome,
    Question,
    Rule,
)
from emulation_saas.kernel.numbers import Share
from emulation_saas.kernel.rejections import Conflict, Invalid

Place = tuple[str, str]
"""A question and one of its options."""


class CountDoesNotAddUp(Invalid):
    """The numbers of the count contradict each other or the ballot."""

    code = "count-does-not-add-up"


class PresentNeeded(Invalid):
    """The rule takes its share of those present: the count must say how many were."""

    code = "present-needed"


class AlreadyCounted(Conflict):
    """The ballot was counted, with another result."""

    code = "already-counted"


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many there were of what; every base of a percentage is one of them."""

    electorate: int
    present: int
    issued: int
    collected: int
    valid: int
    invalid: int

    def check(self) -> None:
        """Return if `electorate >= issued >= collected = valid + invalid`, and no more are present than on the roll.

        `issued` may exceed `present`: papers also go to members who write their opinion from elsewhere.

        Raises:
            CountDoesNotAddUp: with the first identity that does not hold.
        """
        if min(self.present, self.issued, self.collected, self.valid, self.invalid) < 0:
            raise CountDoesNotAddUp("a number is below 0")
        if self.present > self.electorate:
            raise CountDoesNotAddUp(f"{self.present} present, and only {self.electorate} on the roll")
        if self.issued > self.electorate:
            raise CountDoesNotAddUp(f"{self.issued} issued, and only {self.electorate} on the roll")
        if self.collected > self.issued:
            raise CountDoesNotAddUp(f"{self.collected} collected, and only {self.issued} issued")
        if self.valid + self.invalid != self.collected:
            raise CountDoesNotAddUp(f"{self.valid} valid and {self.invalid} invalid, but {self.collected} collected")


def votes_needed(base: int, *, threshold: Share, comparison: Comparison) -> int:
    """Return the fewest votes that pass. Exact integers, rounded up, and never less than one vote.

    Args:
        base: how many the share is taken of (electorate, present, …), 0 or more.
        threshold: a fraction, 0 < num <= den.
        comparison: `>=`, or `>`, which needs one vote more where the share is exact.

    Raises:
        ValueError: an argument is out of its range.

    Source: the year's own rule; bases and comparisons as found in practice, `domain.md` 5.1.
    """
    if base < 0 or not 0 < threshold.num <= threshold.den:
        msg = f"not a share of a count: {threshold.num}/{threshold.den} of {base}"
        raise ValueError(msg)
    exact = base * threshold.num
    needed = exact // threshold.den + 1 if comparison == ">" else -(-exact // threshold.den)
    return max(needed, 1)


def base_count(base: Base, counts: Counts) -> int:
    """Return how many the percentage is taken of. In law it is the electorate: who is absent counts as a no."""
    return {
        "electorate": counts.electorate,
        "present": counts.present,
        "issued": counts.issued,
        "collected": counts.collected,
        "valid": counts.valid,
    }[base]


def places(questions: Iterable[Question]) -> list[Place]:
    """Return every option of every question, in the ballot's order."""
    return [(question.question, option) for question in questions for option in question.options]


def tally(questions: Sequence[Question], papers: Iterable[Sequence[Choice]]) -> list[OptionVotes]:
    """Count the marks for every option, also those without any, in the ballot's order."""
    marks = Counter((choice.question, option) for paper in papers for choice in paper for option in choice.options)
    return [
        OptionVotes(question=question, option=option, votes=marks[question, option])
        for question, option in places(questions)
    ]


def as_on_ballot(
    questions: Sequence[Question], rule: Rule, *, valid: int, votes: Iterable[OptionVotes]
) -> list[OptionVotes]:
    """Return the votes read from minutes, in the ballot's order.

    Raises:
        CountDoesNotAddUp: an option is not named exactly once, has more votes than there are valid papers, or a
            question has more votes than its valid papers could mark.
    """
    named: dict[Place, OptionVotes] = {}
    on_ballot = places(questions)
    for each in votes:
        place = (each.question, each.option)
        if place in named:
            raise CountDoesNotAddUp(f"option {each.option} of question {each.question} is named twice")
        if place not in on_ballot:
            raise CountDoesNotAddUp(f"option {each.option} of question {each.question} is not on the ballot")
        if not 0 <= each.votes <= valid:
            raise CountDoesNotAddUp(f"{each.votes} votes for {each.option} of {each.question}, but {valid} valid")
        named[place] = each
    for question in questions:
        total = 0
        for option in question.options:
            if (question.question, option) not in named:
                raise CountDoesNotAddUp(f"option {option} of question {question.question} is not named")
            total += named[question.question, option].votes
        if total > valid * rule.seats:
            raise CountDoesNotAddUp(
                f"{total} votes in question {question.question}: {valid} valid with at most {rule.seats} marks each"
            )
    return [named[place] for place in on_ballot]


def outcomes(questions: Sequence[Question], rule: Rule, counts: Counts, votes: Iterable[OptionVotes]) -> list[Outcome]:
    """Return, for each question in turn, the options chosen and those tied for the last seats.

    Both are in the order of their votes, the most first, and then in the question's own order. `revote`, `by_score`
    and `draw` leave the tied ones to be settled outside; `none` names them and lets none in; `all` lets all in, and
    is the only rule by which more than `seats` are chosen.
    """
    got = {(each.question, each.option): each.votes for each in votes}
    if counts.present < votes_needed(counts.electorate, threshold=rule.quorum, comparison=">="):
        return [Outcome(question=question.question, chosen=[], tied=[]) for question in questions]
    base = base_count(rule.base, counts)
    needed = votes_needed(base, threshold=rule.threshold, comparison=rule.comparison)
    return [_outcome(question, rule, needed=needed, got=got) for question in questions]


def _outcome(question: Question, rule: Rule, *, needed: int, got: dict[Place, int]) -> Outcome:
    votes = {option: got[question.question, option] for option in question.options}
    passing = sorted((option for option in votes if votes[option] >= needed), key=votes.__getitem__, reverse=True)
    if len(passing) <= rule.seats or votes[passing[rule.seats]] < votes[passing[rule.seats - 1]]:
        return Outcome(question=question.question, chosen=passing[: rule.seats], tied=[])
    last = votes[passing[rule.seats]]
    level = [option for option in passing if votes[option] == last]
    above = [option for option in passing if votes[option] > last]
    if rule.tie == "all":
        return Outcome(question=question.question, chosen=above + level, tied=[])
    return Outcome(question=question.question, chosen=above, tied=level)


def end_of(ballot: BallotOpened, counts: Counts, votes: list[OptionVotes]) -> list[BallotEvent]:
    """Return how a ballot ends: no more votes, the count and what follows from it."""
    counted = BallotCounted(
        bloc=ballot.bloc,
        year=ballot.year,
        ballot=ballot.ballot,
        present=counts.present,
        issued=counts.issued,
        collected=counts.collected,
        valid=counts.valid,
        invalid=counts.invalid,
        votes=votes,
        outcomes=outcomes(ballot.questions, ballot.rule, counts, votes),
    )
    return [BallotClosed(bloc=ballot.bloc, year=ballot.year, ballot=ballot.ballot), counted]


def require_same(counted: BallotCounted, counts: Counts, votes: Iterable[OptionVotes]) -> None:
    """Return if these numbers, in whatever order, are those of a count.

    Raises:
        AlreadyCounted: they are others.
    """
    before = (counted.present, counted.issued, counted.collected, counted.valid, counted.invalid)
    if before != (counts.present, counts.issued, counts.collected, counts.valid, counts.invalid):
        raise AlreadyCounted
    if sorted(counted.votes, key=_place) != sorted(votes, key=_place):
        raise AlreadyCounted


def _place(votes: OptionVotes) -> Place:
    return votes.question, votes.option
