"""The script up to the conference: who there is, by what they are judged, scores and ratings."""

from typing import Any

import msgspec

from emulation_saas.demo.illustrations import appraised_points, claimed_points, marked
from emulation_saas.demo.scene import ADMIN, AUDITOR, COUNCIL_MEMBER, INTEGRATOR, SECRETARY, Scene, Step, representative
from emulation_saas.http.local_issuer import ISSUER


def open_province(scene: Scene) -> Step:
    """Return the opening by a platform operator."""
    province = scene.made.province
    name = marked(province.name)
    body = {
        "province": province.province,
        "name": name,
        "kind": province.kind,
        "code": marked(province.code),
        "effective_on": scene.made.effective_on,
        "legal_basis": marked(scene.made.legal_basis.province),
        "admin": {"issuer": ISSUER, "sub": ADMIN, "name": marked(scene.made.persons.admin)},
    }
    return Step("province", f"open {name}", scene.operator, "/provinces", body)


def roster(scene: Scene) -> list[Step]:
    """Return agencies, the bloc, and its members."""
    facts, made = scene.facts, scene.made
    basis = {"effective_on": made.effective_on, "legal_basis": marked(made.legal_basis.bloc)}
    agencies = [
        Step(
            f"agency.{handle}",
            f"register {name}",
            ADMIN,
            "/agencies",
            {
                "agency": handle,
                "name": name,
                "aliases": facts.spellings_of(name),
                "effective_on": made.effective_on,
            },
        )
        for name, handle in scene.handles.items()
    ]
    bloc = {
        "bloc": made.bloc,
        "name": facts.bloc.name,
        "aliases": facts.spellings_of(facts.bloc.name),
        "kind": facts.bloc.kind,
        **basis,
    }
    members = [
        Step(f"member.{handle}", f"admit {name}", ADMIN, f"{scene.bloc}/members", {"agency": handle, **basis})
        for name, handle in scene.handles.items()
    ]
    return [*agencies, Step("bloc", f"establish {facts.bloc.name}", ADMIN, "/blocs", bloc), *members]


def people(scene: Scene) -> list[Step]:
    """Return who acts, but for the administrator, who came with the province."""
    persons = scene.made.persons
    steps = _person(SECRETARY, persons.secretary, {"role": "bloc-secretary", "bloc": scene.made.bloc})
    steps += _person(COUNCIL_MEMBER, persons.council_member, {"role": "council-member"})
    steps += _person(AUDITOR, persons.auditor, {"role": "auditor"})
    for name, handle in scene.handles.items():
        role = {"role": "member-representative", "agency": handle}
        steps += _person(representative(handle), persons.representative.format(agency=name), role)
    return steps


def integrator(scene: Scene) -> list[Step]:
    """Return who follows what is public. He comes last, and is sent what happened before he came."""
    return _person(INTEGRATOR, scene.made.persons.integrator, {"role": "integrator"})


def _person(sub: str, name: str, role: dict[str, Any]) -> list[Step]:
    name = marked(name)
    registered = {"issuer": ISSUER, "sub": sub, "name": name}
    return [
        Step(f"person.{sub}", f"register {name}", ADMIN, "/persons", registered),
        Step(f"role.{sub}", f"make {name} a {role['role']}", ADMIN, "/roles", role, person_of=sub),
    ]


def years(scene: Scene) -> list[Step]:
    """Return both years, by the same scheme and rules."""
    scheme = scene.made.scheme
    rules = {
        "legal_basis": marked(scene.made.legal_basis.rules),
        "leaders_max": 1,
        "self_vote": True,
        "dispute_answer_days": scene.made.dispute.answer_days,
        "disputes_suspend_nominations": True,
    }
    criteria = [{**msgspec.to_builtins(each), "title": marked(each.title)} for each in scheme.criteria]
    return [
        Step(
            f"year.{year}",
            f"open the year {year} with its scheme and rules",
            SECRETARY,
            f"{scene.bloc}/years",
            {
                "year": year,
                "scheme": {"title": marked(scheme.title.format(year=year)), "criteria": criteria},
                "rules": rules,
            },
        )
        for year in (scene.facts.conference.covers_year, scene.facts.conference.plans_year)
    ]


def scores(scene: Scene) -> list[Step]:
    """Return self-scores, an appraisal of one criterion of each member, and the frozen ranking. All made up."""
    made = scene.made
    leaves = made.scheme.leaves()
    sheets: list[Step] = []
    appraisals: list[Step] = []
    for place, name in enumerate(_order(scene)):
        handle = scene.handles[name]
        claimed = [claimed_points(place, leaf, each.points_max) for leaf, each in enumerate(leaves)]
        sheet = [
            {"criterion": each.criterion, "points": str(points), "explanation": marked(made.explanation)}
            for each, points in zip(leaves, claimed, strict=True)
        ]
        body: dict[str, Any] = {"agency": handle, "points": sheet}
        says = marked(f"{name} scores itself: {sum(claimed)}")
        sheets.append(Step(f"self-score.{handle}", says, representative(handle), f"{scene.covered}/self-scores", body))
        leaf = place % len(leaves)
        points = appraised_points(place, claimed[leaf])
        reasons = made.reasons.same
        if points != claimed[leaf]:
            reasons = made.reasons.lower if points < claimed[leaf] else made.reasons.higher
        body = {
            "agency": handle,
            "criterion": leaves[leaf].criterion,
            "points": str(points),
            "reasons": marked(reasons),
            "stage": "bloc",
        }
        says = marked(f"appraise {name}: {claimed[leaf]} becomes {points}")
        appraisals.append(Step(f"appraisal.{handle}", says, SECRETARY, f"{scene.covered}/appraisals", body))
    freezing = Step("ranking", marked("freeze the ranking"), SECRETARY, f"{scene.covered}/ranking", {})
    return [*sheets, *appraisals, freezing]


def _order(scene: Scene) -> list[str]:
    """Return the members as the made-up points put them: the leading unit, then nominees, then the others."""
    year = scene.facts.year_2023
    nominees = [name for nominated in year.nominations for name in nominated.nominees]
    return list(dict.fromkeys([year.leading_unit, *nominees, *scene.facts.members]))


def ratings(scene: Scene) -> Step:
    """Return the ratings as the article gives them: in numbers only."""
    rated = scene.facts.year_2023.task_ratings
    aggregate = {"of": rated.of, "good_or_better": rated.rated_good_or_better, "excellent": rated.rated_excellent}
    body = {"aggregate": aggregate, "authority": "cấp có thẩm quyền"}
    says = f"enter the ratings in numbers only: {rated.rated_excellent} of {rated.of} excellent"
    return Step("ratings", says, SECRETARY, f"{scene.covered}/ratings", body)
