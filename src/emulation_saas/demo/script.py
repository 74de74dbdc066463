"""The bloc's year as an ordered list of calls to the public API: opened, scored, voted on, closed by the conference."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from emulation_saas.demo.facts import Facts
from emulation_saas.demo.illustrations import BallotMade, Illustrations, appraised_points, claimed_points, marked
from emulation_saas.demo.polls import paper_ballot, paper_count, roll_call
from emulation_saas.http.local_issuer import ISSUER

ADMIN: Final = "admin"
"""The subject of the local issuer who administers the province."""
SECRETARY: Final = "thu-ky"
_AWARDS: Final = {
    "Cờ thi đua của Chính phủ": "gov_flag",
    "Cờ thi đua của UBND tỉnh": "prov_flag",
    "Bằng khen của UBND tỉnh": "prov_certificate",
}
"""The service's codes for the awards of the article."""


@dataclass(frozen=True)
class Step:
    """One call: a POST by somebody, under a key of its own."""

    key: str
    """Names the step for ever; the idempotency key is made of it."""
    says: str
    by: str
    """The subject of the local issuer who makes the call."""
    path: str
    """Below the province; `/provinces` itself opens it."""
    body: dict[str, Any]
    person_of: str | None = None
    """The subject whose person id, as minted by the service, the body is completed with."""


class Script:
    """Puts facts and what is made up in order."""

    def __init__(self, facts: Facts, made: Illustrations, *, operator: str) -> None:
        """Take both, and the subject that may open provinces."""
        self._facts = facts
        self._made = made
        self._operator = operator
        self._handles = {name: made.handle_of(name) for name in facts.members}
        self._bloc = f"/blocs/{made.bloc}"
        self._covered = f"{self._bloc}/years/{facts.conference.covers_year}"
        self._planned = f"{self._bloc}/years/{facts.conference.plans_year}"
        self._on_paper = facts.conference.held_on.isoformat()

    def steps(self) -> list[Step]:
        """Return the whole year."""
        return [
            self._open_province(),
            *self._roster(),
            *self._people(),
            *self._years(),
            *self._scores(),
            self._ratings(),
            *self._ballots(),
            *self._choices(),
            self._meeting(),
            *self._pledge(),
            *self._launch(),
            *self._roll_call(),
        ]

    def _open_province(self) -> Step:
        province = self._made.province
        name = marked(province.name)
        body = {
            "province": province.province,
            "name": name,
            "kind": province.kind,
            "code": marked(province.code),
            "effective_on": self._made.effective_on,
            "legal_basis": marked(self._made.legal_basis.province),
            "admin": {"issuer": ISSUER, "sub": ADMIN, "name": marked(self._made.persons.admin)},
        }
        return Step("province", f"open {name}", self._operator, "/provinces", body)

    def _roster(self) -> list[Step]:
        facts, made = self._facts, self._made
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
            for name, handle in self._handles.items()
        ]
        bloc = {
            "bloc": made.bloc,
            "name": facts.bloc.name,
            "aliases": facts.spellings_of(facts.bloc.name),
            "kind": facts.bloc.kind,
            **basis,
        }
        members = [
            Step(f"member.{handle}", f"admit {name}", ADMIN, f"{self._bloc}/members", {"agency": handle, **basis})
            for name, handle in self._handles.items()
        ]
        return [*agencies, Step("bloc", f"establish {facts.bloc.name}", ADMIN, "/blocs", bloc), *members]

    def _people(self) -> list[Step]:
        persons = self._made.persons
        steps = self._person(SECRETARY, persons.secretary, {"role": "bloc-secretary", "bloc": self._made.bloc})
        for name, handle in self._handles.items():
            role = {"role": "member-representative", "agency": handle}
            steps += self._person(representative(handle), persons.representative.format(agency=name), role)
        return steps

    def _person(self, sub: str, name: str, role: dict[str, Any]) -> list[Step]:
        name = marked(name)
        registered = {"issuer": ISSUER, "sub": sub, "name": name}
        return [
            Step(f"person.{sub}", f"register {name}", ADMIN, "/persons", registered),
            Step(f"role.{sub}", f"make {name} a {role['role']}", ADMIN, "/roles", role, person_of=sub),
        ]

    def _years(self) -> list[Step]:
        scheme = self._made.scheme
        rules = {"legal_basis": marked(self._made.legal_basis.rules), "leaders_max": 1, "self_vote": True}
        criteria = [{**msgspec.to_builtins(each), "title": marked(each.title)} for each in scheme.criteria]
        return [
            Step(
                f"year.{year}",
                f"open the year {year} with its scheme and rules",
                SECRETARY,
                f"{self._bloc}/years",
                {
                    "year": year,
                    "scheme": {"title": marked(scheme.title.format(year=year)), "criteria": criteria},
                    "rules": rules,
                },
            )
            for year in (self._facts.conference.covers_year, self._facts.conference.plans_year)
        ]

    def _scores(self) -> list[Step]:
        made = self._made
        leaves = made.scheme.leaves()
        sheets: list[Step] = []
        appraisals: list[Step] = []
        for place, name in enumerate(self._order()):
            handle = self._handles[name]
            claimed = [claimed_points(place, leaf, each.points_max) for leaf, each in enumerate(leaves)]
            sheet = [
                {"criterion": each.criterion, "points": str(points), "explanation": marked(made.explanation)}
                for each, points in zip(leaves, claimed, strict=True)
            ]
            body: dict[str, Any] = {"agency": handle, "points": sheet}
            says = marked(f"{name} scores itself: {sum(claimed)}")
            sheets.append(
                Step(f"self-score.{handle}", says, representative(handle), f"{self._covered}/self-scores", body)
            )
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
            appraisals.append(Step(f"appraisal.{handle}", says, SECRETARY, f"{self._covered}/appraisals", body))
        freezing = Step("ranking", marked("freeze the ranking"), SECRETARY, f"{self._covered}/ranking", {})
        return [*sheets, *appraisals, freezing]

    def _order(self) -> list[str]:
        """Return the members as the made-up points put them: the leading unit, then nominees, then the others."""
        year = self._facts.year_2023
        nominees = [name for nominated in year.nominations for name in nominated.nominees]
        return list(dict.fromkeys([year.leading_unit, *nominees, *self._facts.members]))

    def _ratings(self) -> Step:
        rated = self._facts.year_2023.task_ratings
        aggregate = {"of": rated.of, "good_or_better": rated.rated_good_or_better, "excellent": rated.rated_excellent}
        body = {"aggregate": aggregate, "authority": "cấp có thẩm quyền"}
        says = f"enter the ratings in numbers only: {rated.rated_excellent} of {rated.of} excellent"
        return Step("ratings", says, SECRETARY, f"{self._covered}/ratings", body)

    def _ballots(self) -> list[Step]:
        facts, ballots = self._facts, self._made.ballots
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
            handles = {question: [self._handles[name] for name in names] for question, names in chosen.items()}
            path, title = f"{self._covered}/ballots", marked(ballot.title)
            opening = paper_ballot(self._made, ballot, handles, time=self._on_paper)
            count = paper_count(opening, handles)
            steps += [
                Step(f"ballot.{ballot.ballot}", f"open a ballot: {title}", SECRETARY, path, opening),
                Step(f"count.{ballot.ballot}", f"count it: {title}", SECRETARY, f"{path}/{ballot.ballot}/count", count),
            ]
        return steps

    def _choices(self) -> list[Step]:
        """Return what the conference decided: leader, nominations, offices. Stated, but for the ballots behind it."""
        facts, made = self._facts, self._made
        leader = facts.year_2023.leading_unit
        acclaim = {
            "agency": self._handles[leader],
            "method": "not_stated",
            "ballot": made.ballots.leader.ballot,
            "because": marked(made.acclaim_because),
            "time": self._on_paper,
        }
        steps = [Step("leader", f"acclaim the leading unit: {leader}", SECRETARY, f"{self._covered}/leader", acclaim)]
        for nominated in facts.year_2023.nominations:
            award = _AWARDS[nominated.award]
            ballot = made.ballots.certificates if award == "prov_certificate" else made.ballots.flags
            for name in nominated.nominees:
                handle = self._handles[name]
                nomination = {
                    "nomination": f"{award.replace('_', '-')}-{handle}"[:40],
                    "agency": handle,
                    "award": award,
                    "ballot": ballot.ballot,
                    "legal_basis": marked(made.legal_basis.nomination),
                    "time": self._on_paper,
                }
                says = f"nominate {name}: {nominated.award}"
                path = f"{self._covered}/nominations"
                steps.append(Step(f"nomination.{award}.{handle}", says, SECRETARY, path, nomination))
        for office, name in (("head", facts.year_2024.head), ("deputy", facts.year_2024.deputy_head)):
            elected = {
                "office": office,
                "for_year": facts.conference.plans_year,
                "agency": self._handles[name],
                "ballot": made.ballots.offices.ballot,
                "time": self._on_paper,
            }
            says = f"elect the {office} for {facts.conference.plans_year}: {name}"
            steps.append(Step(f"office.{office}", says, SECRETARY, f"{self._bloc}/offices", elected))
        return steps

    def _meeting(self) -> Step:
        held = self._facts.conference
        body = {
            "meeting": self._made.meeting,
            "held_on": self._on_paper,
            "place": held.place,
            "chairs": [{"name": chair.name, "office": chair.office} for chair in held.co_chairs],
            "attendance": {"members": list(self._handles.values()), "others": list(held.attendance.others)},
            "covers_year": held.covers_year,
            "plans_year": held.plans_year,
        }
        says = f"enter the conference of {self._on_paper} in {held.place}"
        return Step("meeting", says, SECRETARY, f"{self._bloc}/meetings", body)

    def _pledge(self) -> list[Step]:
        persons, path = self._made.persons, f"{self._planned}/pledge"
        draft = {"text": marked(self._made.pledge), "time": self._on_paper}
        steps = [Step("pledge", "draft the pledge", SECRETARY, path, draft)]
        for name, handle in self._handles.items():
            signer = {"name": marked(persons.signer.format(agency=name)), "office": persons.signer_office}
            signature = {"agency": handle, "signed_by": signer, "time": self._on_paper}
            says = f"{name} signs the pledge"
            steps.append(Step(f"signature.{handle}", says, representative(handle), f"{path}/signatures", signature))
        return steps

    def _launch(self) -> list[Step]:
        if not self._facts.year_2024.movement_launched:
            return []
        body = {"text": marked(self._made.launch), "time": self._on_paper}
        return [Step("launch", "launch the movement of the year", SECRETARY, f"{self._planned}/launch", body)]

    def _roll_call(self) -> list[Step]:
        """Return a live ballot, all but one voting, so that whoever looks further can cast a vote."""
        made, path = self._made, f"{self._planned}/ballots"
        ballot = made.ballots.roll_call
        opening = roll_call(made)
        steps = [Step("ballot.roll-call", f"open a roll call: {marked(ballot.title)}", SECRETARY, path, opening)]
        for name, handle in self._handles.items():
            if handle != made.roll_call_waits_for:
                choices = [{"question": "quarterly", "options": [made.roll_call_options[0]]}]
                says, votes = marked(f"{name} votes"), f"{path}/{ballot.ballot}/votes"
                vote = {"agency": handle, "choices": choices}
                steps.append(Step(f"vote.{handle}", says, representative(handle), votes, vote))
        return steps


def representative(agency: str) -> str:
    """Return the subject of the local issuer who represents an agency."""
    return f"dai-dien-{agency}"
