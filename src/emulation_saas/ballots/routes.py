"""The ballots' commands over HTTP."""

from typing import Annotated

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from emulation_saas.ballots.events import Choice, Mode, OptionVotes, Question, Rule
from emulation_saas.ballots.papers import OPTIONS_MAX, QUESTIONS_MAX, ROLL_MAX
from emulation_saas.ballots.use_cases import CastVote, CloseBallot, OpenBallot, RecordPaperCount
from emulation_saas.disputes.events import DisputeUpheld
from emulation_saas.http.bodies import Body, Line, Moment, moment
from emulation_saas.http.corrections import Correction, cause_of
from emulation_saas.kernel.ids import AgencyId, BallotId, BlocId, Handle
from emulation_saas.kernel.numbers import Count
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log import Accepted, ProvinceLog

BallotHandle = Annotated[Handle, Meta(examples=["prov-flag-2023"])]
Voter = Annotated[Handle, Meta(description="The member that votes", examples=["thanh-tra-tinh"])]
ClosesAt = Annotated[
    Moment,
    Meta(
        description="Needed for mode `open`, taken for no other: from this instant on a vote is too late",
        examples=["2024-01-30T17:00:00+07:00"],
    ),
]
Questions = Annotated[
    list[Question],
    Meta(
        min_length=1,
        max_length=QUESTIONS_MAX,
        description=(
            "Each with its own options; a voter marks at most `seats` of each. "
            "The question that fills an office is called as it: `head` or `deputy`"
        ),
        examples=[
            [
                {
                    "question": "prov-flag",
                    "title": "Cờ thi đua của UBND tỉnh",
                    "options": ["so-noi-vu", "so-tu-phap", "thanh-tra-tinh"],
                }
            ]
        ],
    ),
]
Roll = Annotated[
    list[Handle],
    Meta(
        min_length=1,
        max_length=ROLL_MAX,
        description="The electorate: members of the bloc, one vote each; it never changes",
        examples=[["so-noi-vu", "so-tai-chinh", "so-tu-phap", "thanh-tra-tinh"]],
    ),
]
RuleOfCount = Annotated[
    Rule,
    Meta(
        description="An option passes iff `votes * den >= num * base`; the best `seats` of those that pass are chosen",
        examples=[
            {
                "base": "electorate",
                "threshold": {"num": 1, "den": 2},
                "quorum": {"num": 2, "den": 3},
                "comparison": ">",
                "seats": 1,
                "tie": "revote",
            }
        ],
    ),
]
Choices = Annotated[
    list[Choice],
    Meta(
        max_length=QUESTIONS_MAX,
        description="Options marked, by question; a question left out or without options is a blank vote",
        examples=[[{"question": "prov-flag", "options": ["so-noi-vu"]}]],
    ),
]
Votes = Annotated[
    list[OptionVotes],
    Meta(
        max_length=OPTIONS_MAX,
        description="Every option of every question, exactly once, also those without a vote",
        examples=[
            [
                {"question": "prov-flag", "option": "so-noi-vu", "votes": 3},
                {"question": "prov-flag", "option": "so-tu-phap", "votes": 0},
                {"question": "prov-flag", "option": "thanh-tra-tinh", "votes": 0},
            ]
        ],
    ),
]


class BallotBody(Correction, frozen=True, kw_only=True):
    """A ballot to open: what is asked, who votes, how it is counted."""

    ballot: BallotHandle
    title: Line
    mode: Mode
    questions: Questions
    roll: Roll
    rule: RuleOfCount
    closes_at: ClosesAt | UnsetType = UNSET


class VoteBody(Body, frozen=True, kw_only=True):
    """A member's whole vote; it replaces the earlier one."""

    agency: Voter
    choices: Choices


class CloseBody(Correction, frozen=True, kw_only=True):
    """Closing needs to say nothing but, from paper, when it was done."""


class CountBody(Correction, frozen=True, kw_only=True):
    """The count as the minutes give it; `time` says when it was taken and is needed."""

    present: Annotated[Count, Meta(description="Absent: as many as papers collected", examples=[4])] | UnsetType = UNSET
    issued: Annotated[Count, Meta(description="Papers given out (phát ra)", examples=[4])]
    collected: Annotated[Count, Meta(description="Papers that came back (thu vào)", examples=[4])]
    valid: Annotated[Count, Meta(description="Valid papers (hợp lệ)", examples=[3])]
    invalid: Annotated[Count, Meta(description="Invalid papers (không hợp lệ)", examples=[1])]
    votes: Votes


@post("/blocs/{bloc:str}/years/{year:int}/ballots", summary="Open a ballot")
async def open_ballot(
    bloc: FromPath[str],
    year: FromPath[int],
    data: JSONBody[BallotBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Put questions to the vote of the members on a roll; nothing of a ballot changes once it is open."""
    opening = OpenBallot(
        bloc=BlocId(bloc),
        year=year,
        ballot=BallotId(data.ballot),
        title=data.title,
        mode=data.mode,
        questions=tuple(data.questions),
        roll=tuple(AgencyId(agency) for agency in data.roll),
        rule=data.rule,
        closes_at=UNSET if data.closes_at is UNSET else moment(data.closes_at),
        time=data.entered(),
        causation=await cause_of(data, log, DisputeUpheld, bloc=bloc, year=year),
    )
    return await log.execute(opening, by=acting)


@post("/blocs/{bloc:str}/years/{year:int}/ballots/{ballot:str}/votes", summary="Cast or replace a member's vote")
async def cast_vote(
    bloc: FromPath[str],
    year: FromPath[int],
    ballot: FromPath[str],
    data: JSONBody[VoteBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Cast the vote of a member that the caller represents; a later vote replaces it until the ballot closes."""
    vote = CastVote(
        bloc=BlocId(bloc),
        year=year,
        ballot=BallotId(ballot),
        agency=AgencyId(data.agency),
        choices=tuple(data.choices),
        time=data.entered(),
    )
    return await log.execute(vote, by=acting)


@post("/blocs/{bloc:str}/years/{year:int}/ballots/{ballot:str}/close", summary="Close a roll call and count it")
async def close_ballot(
    bloc: FromPath[str],
    year: FromPath[int],
    ballot: FromPath[str],
    data: JSONBody[CloseBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Close a roll call: from its closing time on, or earlier once everybody on the roll has voted."""
    closing = CloseBallot(
        bloc=BlocId(bloc),
        year=year,
        ballot=BallotId(ballot),
        time=data.entered(),
        causation=await cause_of(data, log, DisputeUpheld, bloc=bloc, year=year),
    )
    return await log.execute(closing, by=acting)


@post("/blocs/{bloc:str}/years/{year:int}/ballots/{ballot:str}/count", summary="Enter the count of a paper ballot")
async def record_paper_count(
    bloc: FromPath[str],
    year: FromPath[int],
    ballot: FromPath[str],
    data: JSONBody[CountBody],
    acting: NamedDependency[Acting],
    log: NamedDependency[ProvinceLog],
) -> Accepted:
    """Enter the count of a ballot held on paper or in a room, as its minutes give it; this closes the ballot."""
    count = RecordPaperCount(
        bloc=BlocId(bloc),
        year=year,
        ballot=BallotId(ballot),
        present=data.present,
        issued=data.issued,
        collected=data.collected,
        valid=data.valid,
        invalid=data.invalid,
        votes=tuple(data.votes),
        time=data.entered(),
        causation=await cause_of(data, log, DisputeUpheld, bloc=bloc, year=year),
    )
    return await log.execute(count, by=acting)


ROUTES = (open_ballot, cast_vote, close_ballot, record_paper_count)
