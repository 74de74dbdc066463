"""The script of the conference, from its minutes, and of one live roll call after it."""

from typing import Final

from emulation_saas.demo.illustrations import BallotMade, marked
from emulation_saas.demo.polls import paper_ballot, paper_count, roll_call
from emulation_saas.demo.scene import SECRETARY, Scene, Step, representative

_AWARDS: Final = {
    "Cờ thi đua của Chính phủ": "gov_flag",
    "Cờ thi đua của UBND tỉnh": "prov_flag",
    "Bằng khen của UBND tỉnh": "prov_certificate",
}
"""The service's codes for the awards of the article."""


def ballots(scene: Scene) -> list[Step]:
    """Return the ballots held on paper. That they were held so, and their counts, is made up."""
    facts, ballots = scene.facts, scene.made.ballots
    year, ahead = facts.year_2023, facts.year_2024
    nominees = {_AWARDS[each.award]: each.nominees for each in year.nominations}
    held: list[tuple[BallotMade, dict[str, tuple[str, ...]]]] = [
        (ballots.leader, {"leading-unit": (year.leading_unit,)}),
        (ballots.flags, {"gov-flag": nominees["gov_flag"], "prov-flag": nominees["prov_flag"]}),
        (ballots.certificates, {"prov-certificate": nominees["prov_certificate"]}),
        (ballots.offices, {"head": (ahead.head,), "deputy": (ahead.deputy_head,)}),
    ]
    steps: list[Step] = []
    for ballot, chosen in held:
        handles = {question: [scene.handles[name] for name in names] for question, names in chosen.items()}
        path, title = f"{scene.covered}/ballots", marked(ballot.title)
        opening = paper_ballot(scene.made, ballot, handles, time=scene.on_paper)
        count = paper_count(opening, handles)
        steps += [
            Step(f"ballot.{ballot.ballot}", f"open a ballot: {title}", SECRETARY, path, opening),
            Step(f"count.{ballot.ballot}", f"count it: {title}", SECRETARY, f"{path}/{ballot.ballot}/count", count),
        ]
    return steps


def choices(scene: Scene) -> list[Step]:
    """Return what the conference decided: leader, nominations, offices. Stated, but for the ballots behind it."""
    facts, made = scene.facts, scene.made
    leader = facts.year_2023.leading_unit
    acclaim = {
        "agency": scene.handles[leader],
        "method": "not_stated",
        "ballot": made.ballots.leader.ballot,
        "because": marked(made.acclaim_because),
        "time": scene.on_paper,
    }
    steps = [Step("leader", f"acclaim the leading unit: {leader}", SECRETARY, f"{scene.covered}/leader", acclaim)]
    for nominated in facts.year_2023.nominations:
        award = _AWARDS[nominated.award]
        ballot = made.ballots.certificates if award == "prov_certificate" else made.ballots.flags
        for name in nominated.nominees:
            handle = scene.handles[name]
            nomination = {
                "nomination": f"{award.replace('_', '-')}-{handle}",
                "agency": handle,
                "award": award,
                "ballot": ballot.ballot,
                "legal_basis": marked(made.legal_basis.nomination),
                "time": scene.on_paper,
            }
            says = f"nominate {name}: {nominated.award}"
            path = f"{scene.covered}/nominations"
            steps.append(Step(f"nomination.{award}.{handle}", says, SECRETARY, path, nomination))
    for office, name in (("head", facts.year_2024.head), ("deputy", facts.year_2024.deputy_head)):
        elected = {
            "office": office,
            "for_year": facts.conference.plans_year,
            "agency": scene.handles[name],
            "ballot": made.ballots.offices.ballot,
            "time": scene.on_paper,
        }
        says = f"elect the {office} for {facts.conference.plans_year}: {name}"
        steps.append(Step(f"office.{office}", says, SECRETARY, f"{scene.bloc}/offices", elected))
    return steps


def meeting(scene: Scene) -> Step:
    """Return the conference."""
    held = scene.facts.conference
    body = {
        "meeting": scene.made.meeting,
        "held_on": scene.on_paper,
        "place": held.place,
        "chairs": [{"name": chair.name, "office": chair.office} for chair in held.co_chairs],
        "attendance": {"members": list(scene.handles.values()), "others": list(held.attendance.others)},
        "covers_year": held.covers_year,
        "plans_year": held.plans_year,
    }
    says = f"enter the conference of {scene.on_paper} in {held.place}"
    return Step("meeting", says, SECRETARY, f"{scene.bloc}/meetings", body)


def pledge(scene: Scene) -> list[Step]:
    """Return the pledge and its signatures. That each member signed is stated; text and names are made up."""
    persons, path = scene.made.persons, f"{scene.planned}/pledge"
    draft = {"text": marked(scene.made.pledge), "time": scene.on_paper}
    steps = [Step("pledge", "draft the pledge", SECRETARY, path, draft)]
    for name, handle in scene.handles.items():
        signer = {"name": marked(persons.signer.format(agency=name)), "office": persons.signer_office}
        signature = {"agency": handle, "signed_by": signer, "time": scene.on_paper}
        says = f"{name} signs the pledge"
        steps.append(Step(f"signature.{handle}", says, representative(handle), f"{path}/signatures", signature))
    return steps


def launch(scene: Scene) -> list[Step]:
    """Return the launch, if there was one."""
    if not scene.facts.year_2024.movement_launched:
        return []
    body = {"text": marked(scene.made.launch), "time": scene.on_paper}
    return [Step("launch", "launch the movement of the year", SECRETARY, f"{scene.planned}/launch", body)]


def live_vote(scene: Scene) -> list[Step]:
    """Return a live ballot, all but one voting, so that whoever looks further can cast a vote."""
    made, path = scene.made, f"{scene.planned}/ballots"
    ballot = made.ballots.roll_call
    opening = roll_call(made)
    steps = [Step("ballot.roll-call", f"open a roll call: {marked(ballot.title)}", SECRETARY, path, opening)]
    for name, handle in scene.handles.items():
        if handle != made.roll_call_waits_for:
            choices = [{"question": "quarterly", "options": [made.roll_call_options[0]]}]
            says, votes = marked(f"{name} votes"), f"{path}/{ballot.ballot}/votes"
            vote = {"agency": handle, "choices": choices}
            steps.append(Step(f"vote.{handle}", says, representative(handle), votes, vote))
    return steps
