"""The bodies of the demo's ballots: held on paper with made-up counts, and one live roll call."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from emulation_saas.demo.illustrations import BallotMade, Illustrations, marked, paper_votes

_RULE: Final[dict[str, Any]] = {
    "base": "electorate",
    "threshold": {"num": 1, "den": 2},
    "quorum": {"num": 2, "den": 3},
    "comparison": ">",
    "tie": "revote",
}
"""More than half of all members, two thirds taking part: made up, as the article states no rule."""


def paper_ballot(
    made: Illustrations, ballot: BallotMade, chosen: Mapping[str, Sequence[str]], *, time: str
) -> dict[str, Any]:
    """Return a ballot held on paper, every member being an option of every question.

    Args:
        made: all that is made up.
        ballot: its handle and title.
        chosen: by question, the agencies that it will choose; every question has as many.
        time: the day of the minutes.
    """
    roll = [agency.agency for agency in made.agencies]
    return {
        "ballot": ballot.ballot,
        "title": marked(ballot.title),
        "mode": "paper_secret",
        "questions": [{"question": each, "title": made.questions[each], "options": roll} for each in chosen],
        "roll": roll,
        "rule": {**_RULE, "seats": _seats(chosen)},
        "time": time,
    }


def paper_count(opening: Mapping[str, Any], chosen: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return a count of such a ballot by which it chooses exactly these."""
    roll = opening["roll"]
    voters = len(roll)
    return {
        "present": voters,
        "issued": voters,
        "collected": voters,
        "valid": voters,
        "invalid": 0,
        "votes": [
            {"question": question, "option": option, "votes": votes}
            for question, options in chosen.items()
            for option, votes in paper_votes(roll, options, voters=voters, seats=_seats(chosen)).items()
        ],
        "time": opening["time"],
    }


def roll_call(made: Illustrations) -> dict[str, Any]:
    """Return a roll call that stays open until every member has voted, or for longer than any demo runs."""
    ballot = made.ballots.roll_call
    question = {
        "question": "quarterly",
        "title": made.questions["quarterly"],
        "options": list(made.roll_call_options),
    }
    return {
        "ballot": ballot.ballot,
        "title": marked(ballot.title),
        "mode": "open",
        "questions": [question],
        "roll": [agency.agency for agency in made.agencies],
        "rule": {**_RULE, "seats": 1},
        "closes_at": made.roll_call_closes_at,
    }


def _seats(chosen: Mapping[str, Sequence[str]]) -> int:
    return max(len(options) for options in chosen.values())
