"""The year that is under way: a roll call in which everybody has voted but one, who still may."""

from datetime import UTC, datetime
from random import Random
from typing import Final

from emulation_saas.ballots.events import Choice, Question
from emulation_saas.ballots.use_cases import CastVote, OpenBallot
from emulation_saas.generating.blocs import Bloc
from emulation_saas.generating.conference import rule_of
from emulation_saas.generating.desk import Desk
from emulation_saas.kernel.ids import BallotId

CLOSES_AT: Final = datetime(2099, 12, 31, 10, tzinfo=UTC)
QUESTION: Final = "hop-theo-quy"
OPTIONS: Final = ("dong-y", "khong-dong-y")


async def call_roll(desk: Desk, bloc: Bloc, year: int, chance: Random) -> None:
    """Open a roll call now, and have all members but the last one vote."""
    members, ballot = bloc.members(year, at_end=True), roll_call_of(bloc, year)
    await desk.enter(
        bloc.secretary,
        OpenBallot(
            bloc=bloc.bloc,
            year=year,
            ballot=ballot,
            title="Biểu quyết công khai: họp khối theo quý",
            mode="open",
            questions=(Question(question=QUESTION, title="Họp khối theo quý", options=[*OPTIONS]),),
            roll=tuple(each.agency for each in members),
            rule=rule_of(1),
            closes_at=CLOSES_AT,
        ),
    )
    await desk.enter_all(
        (
            each.representative,
            CastVote(
                bloc=bloc.bloc,
                year=year,
                ballot=ballot,
                agency=each.agency,
                choices=(Choice(question=QUESTION, options=[chance.choice(OPTIONS)]),),
            ),
        )
        for each in members[:-1]
    )


def roll_call_of(bloc: Bloc, year: int) -> BallotId:
    """Return the roll call's handle."""
    return BallotId(f"{bloc.bloc}-{year}-bieu-quyet")
