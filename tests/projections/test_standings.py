"""Who stands where, and why; and how members were rated."""

from decimal import Decimal

from emulation_saas.kernel.ids import AgencyId
from emulation_saas.ratings.events import Aggregate, AggregateRatingReceived, RatingReceived
from emulation_saas.scoring.events import Rank, RankingFrozen, ScoreAppraised, SelfScore, SelfScoreSubmitted, Stage
from emulation_saas.years.events import Criterion, Rules, Scheme, YearOpened
from projections.ratings import Ratings
from projections.standings import Standings
from tests.builders import BLOC, YEAR
from tests.projections.questions import answered, place, reasons

ADA, BEN = AgencyId("ada"), AgencyId("ben")
KEY = f"{BLOC}/{YEAR}"

opened = YearOpened(
    bloc=BLOC,
    year=YEAR,
    scheme=Scheme(
        title="Bảng điểm",
        criteria=[Criterion(criterion=each, title=each, points_max=Decimal("20.50")) for each in ("b", "a", "c")],
    ),
    rules=Rules(legal_basis="QĐ", leaders_max=1, self_vote=True, disputes_suspend_nominations=False),
)


def sheet(agency: AgencyId, **points: str) -> SelfScoreSubmitted:
    claims = [
        SelfScore(criterion=each, points=Decimal(given), explanation="", evidence=[]) for each, given in points.items()
    ]
    return SelfScoreSubmitted(bloc=BLOC, year=YEAR, agency=agency, points=claims)


def appraise(agency: AgencyId, criterion: str, points: str, stage: Stage = "bloc") -> ScoreAppraised:
    return ScoreAppraised(
        bloc=BLOC, year=YEAR, agency=agency, criterion=criterion, points=Decimal(points), reasons="x", stage=stage
    )


STORY = (opened, sheet(ADA, a="18", b="0"), sheet(BEN, a="17.5"), appraise(ADA, "a", "17"), appraise(BEN, "c", "1.5"))


def test_frozen_ranking_says_whom_it_leaves_out() -> None:
    ben_alone = RankingFrozen(bloc=BLOC, year=YEAR, version=1, ranks=[Rank(agency=BEN, points=Decimal(19), rank=1)])
    answer = answered(Standings(), *STORY, ben_alone, path="/standings")
    assert [row["agency"] for row in answer["standings"]] == ["ben", "ada"]
    assert answer["frozen"]["left_out"] == ["ada"]


def test_frozen_ranking_rests_on_what_had_given_a_score_to_those_left_out() -> None:
    ben_alone = RankingFrozen(bloc=BLOC, year=YEAR, version=1, ranks=[Rank(agency=BEN, points=Decimal(19), rank=1)])
    why = reasons(Standings(), KEY, *STORY, appraise(AgencyId("dan"), "a", "3"), ben_alone)
    assert why("frozen") == [2, 6, 7]


def test_appraised_points_count_instead_of_claimed_ones() -> None:
    answer = answered(Standings(), *STORY, path="/standings")
    assert answer["criteria"] == [{"criterion": each, "points_max": "20.5"} for each in ("b", "a", "c")]
    assert answer["standings"] == [
        {
            "agency": "ben",
            "rank": 1,
            "points": "19",
            "scores": [
                {"criterion": "a", "points": "17.5", "claimed": {"points": "17.5", "position": 3}},
                {"criterion": "c", "points": "1.5", "appraised": {"points": "1.5", "stage": "bloc", "position": 5}},
            ],
        },
        {
            "agency": "ada",
            "rank": 2,
            "points": "17",
            "scores": [
                {"criterion": "b", "points": "0", "claimed": {"points": "0", "position": 2}},
                {
                    "criterion": "a",
                    "points": "17",
                    "claimed": {"points": "18", "position": 2},
                    "appraised": {"points": "17", "stage": "bloc", "position": 4},
                },
            ],
        },
    ]
    assert (answer["versions"], "frozen" in answer) == ([], False)


def test_equal_points_share_a_rank_and_nobody_unscored_has_one() -> None:
    answer = answered(
        Standings(), opened, sheet(ADA, a="5"), sheet(BEN, b="5.0"), sheet(AgencyId("cai")), path="/standings"
    )
    assert [(row["agency"], row["rank"], row["points"]) for row in answer["standings"]] == [
        ("ada", 1, "5"),
        ("ben", 1, "5"),
    ]


def test_another_sheet_replaces_the_claims_and_leaves_appraisals() -> None:
    answer = answered(Standings(), *STORY, sheet(ADA, c="2"), path="/standings")
    (ada,) = [row for row in answer["standings"] if row["agency"] == "ada"]
    assert [(score["criterion"], score["points"]) for score in ada["scores"]] == [("a", "17"), ("c", "2")]


def test_newest_frozen_ranking_is_shown_and_all_versions_are_named() -> None:
    def frozen(version: int) -> RankingFrozen:
        ranks = [Rank(agency=ADA, points=Decimal("18.0"), rank=1)]
        return RankingFrozen(bloc=BLOC, year=YEAR, version=version, ranks=ranks)

    answer = answered(Standings(), opened, frozen(1), appraise(ADA, "a", "18"), frozen(2), path="/standings")
    assert answer["frozen"] == {"version": 2, "position": 4, "ranks": [{"agency": "ada", "points": "18", "rank": 1}]}
    assert answer["versions"] == [{"version": 1, "position": 2}, {"version": 2, "position": 4}]
    assert reasons(Standings(), KEY, opened, frozen(1), frozen(2))("frozen") == [3]


def test_standings_tell_on_what_they_rest() -> None:
    why = reasons(Standings(), KEY, *STORY, appraise(BEN, "a", "16", "council"))
    assert why("points/ada") == [2, 4]
    assert why("points/ben") == [5, 6]
    assert why("points/ada/a") == [4]
    assert why("points/ada/b") == [2]
    assert why("rank/ada") == [2, 4, 5, 6]
    assert why("points/ada/c") == why("points/cai") == why("rank/cai") == why("frozen") == why("khac") == []


def test_year_without_scores_has_an_empty_table_and_unknown_year_none() -> None:
    assert answered(Standings(), opened, path="/standings")["standings"] == []
    assert answered(Standings(), opened, path="/standings", where=place(year=2024)) is None


rated = RatingReceived(bloc=BLOC, year=YEAR, agency=BEN, level="good", authority="UBND", document_no="1")
raised = RatingReceived(bloc=BLOC, year=YEAR, agency=BEN, level="excellent", authority="UBND", document_no="2")
rated_ada = RatingReceived(bloc=BLOC, year=YEAR, agency=ADA, level="good", authority="UBND", document_no="3")
aggregate = AggregateRatingReceived(
    bloc=BLOC, year=YEAR, aggregate=Aggregate(of=10, good_or_better=10, excellent=3), authority="A", document_no=""
)


def test_last_rating_of_a_member_stands() -> None:
    answer = answered(Ratings(), opened, rated, raised, rated_ada, path="/ratings")
    assert answer["ratings"] == [
        {"level": "good", "authority": "UBND", "document_no": "3", "position": 4, "agency": "ada"},
        {"level": "excellent", "authority": "UBND", "document_no": "2", "position": 3, "agency": "ben"},
    ]
    assert "aggregate" not in answer


def test_aggregate_names_nobody() -> None:
    answer = answered(Ratings(), aggregate, path="/ratings")
    assert answer["ratings"] == []
    assert answer["aggregate"] == {
        "aggregate": {"of": 10, "good_or_better": 10, "excellent": 3},
        "authority": "A",
        "document_no": "",
        "position": 1,
    }


def test_ratings_tell_on_what_they_rest() -> None:
    why = reasons(Ratings(), KEY, opened, rated, aggregate)
    assert (why("ratings/ben"), why("aggregate")) == ([2], [3])
    assert why("ratings/ada") == why("khac") == reasons(Ratings(), KEY, opened)("aggregate") == []
