"""The bloc's year as an ordered list of calls to the public API: opened, scored, disputed, voted on, summed up."""

from emulation_saas.demo.conference import ballots, choices, launch, live_vote, meeting, pledge
from emulation_saas.demo.disputing import dispute
from emulation_saas.demo.facts import Facts
from emulation_saas.demo.illustrations import Illustrations
from emulation_saas.demo.preparations import integrator, open_province, people, ratings, roster, scores, years
from emulation_saas.demo.scene import Scene, Step


def the_year(facts: Facts, made: Illustrations, *, operator: str) -> list[Step]:
    """Return every call, in order.

    Args:
        facts: what the article states.
        made: what it does not.
        operator: the subject of the local issuer that may open provinces.
    """
    scene = Scene(facts, made, operator=operator)
    scored = scores(scene)
    return [
        open_province(scene),
        *roster(scene),
        *people(scene),
        *years(scene),
        *scored,
        *dispute(scene, scored),
        ratings(scene),
        *ballots(scene),
        *choices(scene),
        meeting(scene),
        *pledge(scene),
        *launch(scene),
        *live_vote(scene),
        *integrator(scene),
    ]
