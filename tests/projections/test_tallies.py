"""How ballots went: by roll call while it lasts, as counted when it is over."""

from datetime import UTC, datetime

from msgspec.structs import replace

from emulation_saas.ballots.counting import Counts, end_of
from emulation_saas.ballots.events import BallotOpened, Base, Choice, OptionVotes, Question, Rule, VoteCast
from emulation_saas.kernel.ids import AgencyId, BallotId
from emulation_saas.kernel.numbers import Share
from projections.tallies import Tallies
from tests.builders import BALLOT, BLOC, YEAR
from tests.projections.questions import answered, place, reasons

ADA, BEN, CAI = AgencyId("ada"), AgencyId("ben"), AgencyId("cai")
KEY = f"{BLOC}/{YEAR}/{BALLOT}"


def opening(base: Base = "electorate", ballot: BallotId = BALLOT, *, on_paper: bool = False) -> BallotOpened:
    rule = Rule(
        base=base,
        threshold=Share(num=1, den=2),
        quorum=Share(num=1, den=3),
        comparison=">=",
        seats=1,
        tie="revote",
    )
    opened = BallotOpened(
        bloc=BLOC,
        year=YEAR,
        ballot=ballot,
        title="Suy tôn",
        mode="show_of_hands",
        questions=[Question(question="q", title="Ai dẫn đầu", options=["dam", "school"])],
        roll=[ADA, BEN, CAI],
        rule=rule,
    )
    if on_paper:
        return opened
    return replace(opened, mode="open", closes_at=datetime(2024, 1, 30, 4, tzinfo=UTC))


def vote(agency: AgencyId, *options: str) -> VoteCast:
    choices = [Choice(question="q", options=list(options))]
    return VoteCast(bloc=BLOC, year=YEAR, ballot=BALLOT, agency=agency, choices=choices)


def counts(*, present: int, valid: int) -> Counts:
    return Counts(electorate=3, present=present, issued=3, collected=valid, valid=valid, invalid=0)


def test_open_ballot_is_tallied_by_the_votes_that_stand() -> None:
    answer = answered(Tallies(), opening(), vote(BEN, "school"), vote(ADA, "dam"), vote(BEN, "dam"), path="/tally")
    assert answer["state"] == "open"
    assert answer["counts"] == {"electorate": 3, "present": 2, "issued": 2, "collected": 2, "valid": 2, "invalid": 0}
    assert answer["questions"] == [
        {
            "question": "q",
            "title": "Ai dẫn đầu",
            "options": [
                {"option": "dam", "votes": 2, "share": {"num": 2, "den": 3}},
                {"option": "school", "votes": 0, "share": {"num": 0, "den": 3}},
            ],
        }
    ]
    assert answer["votes"] == [
        {"choices": [{"question": "q", "options": ["dam"]}], "position": 3, "agency": "ada"},
        {"choices": [{"question": "q", "options": ["dam"]}], "position": 4, "agency": "ben"},
    ]
    assert (answer["opened_position"], answer["closes_at"]) == (1, "2024-01-30T04:00:00Z")
    assert "counted_position" not in answer


def test_nobody_in_the_base_has_no_share() -> None:
    (question,) = answered(Tallies(), opening(base="valid"), path="/tally")["questions"]
    assert question["options"] == [{"option": "dam", "votes": 0}, {"option": "school", "votes": 0}]


def test_counted_ballot_shows_what_was_counted_and_decided() -> None:
    opened = opening(on_paper=True)
    minutes = [OptionVotes(question="q", option="dam", votes=2), OptionVotes(question="q", option="school", votes=0)]
    answer = answered(Tallies(), opened, *end_of(opened, counts(present=3, valid=2), minutes), path="/tally")
    assert (answer["state"], answer["mode"], answer["counted_position"]) == ("counted", "show_of_hands", 3)
    assert answer["counts"]["valid"] == 2
    (question,) = answer["questions"]
    assert question["options"][0] == {"option": "dam", "votes": 2, "share": {"num": 2, "den": 3}}
    assert (question["chosen"], question["tied"]) == (["dam"], [])
    assert answer["votes"] == []
    assert answer["rule"]["threshold"] == {"num": 1, "den": 2}


def test_ballot_between_its_close_and_its_count_is_closed() -> None:
    closed, _ = end_of(
        opening(),
        counts(present=0, valid=0),
        [OptionVotes(question="q", option=option, votes=0) for option in ("dam", "school")],
    )
    assert answered(Tallies(), opening(), closed, path="/tally")["state"] == "closed"


def test_ballots_of_a_year_are_listed_by_handle() -> None:
    opened = opening()
    minutes = [OptionVotes(question="q", option="dam", votes=2), OptionVotes(question="q", option="school", votes=0)]
    ending = end_of(opened, counts(present=3, valid=2), minutes)
    story = (opening(ballot=BallotId("z-1")), opened, opening(ballot=BallotId(f"{BALLOT}-2")), *ending)
    answer = answered(Tallies(), *story, path="/ballots")
    assert [(line["ballot"], line["state"]) for line in answer["ballots"]] == [
        (BALLOT, "counted"),
        (f"{BALLOT}-2", "open"),
        ("z-1", "open"),
    ]
    assert answer["ballots"][0]["outcomes"] == [{"question": "q", "chosen": ["dam"], "tied": []}]
    assert "outcomes" not in answer["ballots"][1]
    first = answered(Tallies(), *story, path="/ballots", limit=1)
    assert (len(first["ballots"]), first["next"]) == (1, BALLOT)
    rest = answered(Tallies(), *story, path="/ballots", after=BALLOT)
    assert [line["ballot"] for line in rest["ballots"]] == [f"{BALLOT}-2", "z-1"]
    assert "next" not in rest


def test_vote_without_a_ballot_is_no_tally() -> None:
    assert answered(Tallies(), vote(ADA, "dam"), path="/tally") is None
    assert answered(Tallies(), vote(ADA, "dam"), path="/ballots")["ballots"] == []
    assert answered(Tallies(), opening(), path="/tally", where=place(ballot="khac")) is None


def test_tally_tells_on_what_it_rests() -> None:
    opened = opening()
    ending = end_of(
        opened,
        counts(present=2, valid=2),
        [OptionVotes(question="q", option="dam", votes=2), OptionVotes(question="q", option="school", votes=0)],
    )
    why = reasons(Tallies(), KEY, opened, vote(ADA, "dam"), vote(BEN, "dam"), vote(ADA, "school"), *ending)
    assert (why("votes"), why("votes/ada"), why("outcome")) == ([3, 4, 6], [4], [1, 3, 4, 6])
    assert why("votes/cai") == why("khac") == []
    on_paper = reasons(Tallies(), KEY, opened, *ending)
    assert (on_paper("votes"), on_paper("outcome")) == ([3], [1, 3])
    unopened = reasons(Tallies(), KEY, opened)
    assert unopened("votes") == unopened("outcome") == []
