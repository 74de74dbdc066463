"""The main job from outside: the demo as a process of its own, held against a copy of the article's facts."""

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from emulation_saas.demo.auditing import audit
from emulation_saas.demo.facts import load_facts
from emulation_saas.demo.illustrations import MADE_UP, MARK, load_illustrations, made_up_texts, paper_votes
from emulation_saas.demo.library import Library
from emulation_saas.demo.player import Api, DemoRefusedError, play
from emulation_saas.demo.scene import representative
from emulation_saas.demo.script import the_year
from emulation_saas.http.local_issuer import LocalIssuer

HERE: Final = Path(__file__).parent
FACTS: Final[dict[str, Any]] = json.loads((HERE / "facts.json").read_text(encoding="utf-8"))
CODES: Final = {
    "Cờ thi đua của Chính phủ": "gov_flag",
    "Cờ thi đua của UBND tỉnh": "prov_flag",
    "Bằng khen của UBND tỉnh": "prov_certificate",
}
RUN_S: Final = 60


def command(data: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "emulation_saas", "demo", "--data", str(data), *options]


@dataclass(frozen=True)
class Played:
    """A first run, and where its data lies."""

    data: Path
    printed: str
    said: str

    @property
    def account(self) -> dict[str, Any]:
        account: dict[str, Any] = json.loads(self.printed)
        return account


@contextmanager
def serving(data: Path, number: signal.Signals) -> Generator[list[str]]:
    """Run a demo that serves; give what it said until then, and tell it to stop by the signal in the end."""
    with subprocess.Popen(command(data), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        assert running.stdout is not None
        said: list[str] = []
        for line in running.stdout:
            said.append(line.rstrip("\n"))
            if line.startswith("Ctrl-C"):
                break
        assert running.poll() is None
        try:
            yield said
        finally:
            running.send_signal(number)
        assert running.wait(15) == 0


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    data = tmp_path_factory.mktemp("demo") / "data"
    ended = subprocess.run(
        command(data, "--once", "--json"), check=False, capture_output=True, text=True, timeout=RUN_S
    )
    assert ended.returncode == 0, ended.stderr
    return Played(data, ended.stdout, ended.stderr)


def test_the_package_holds_the_facts_of_the_article() -> None:
    held = json.loads((HERE / "../../src/emulation_saas/demo/facts.json").read_text(encoding="utf-8"))
    held.pop("also_written")
    assert held == FACTS


def test_the_account_equals_the_article_in_every_stated_fact(played: Played) -> None:
    account, conference, rated = played.account, FACTS["conference"], FACTS["year_2023"]["task_ratings"]
    assert (account["bloc"], account["bloc_kind"]) == (FACTS["bloc"]["name"], FACTS["bloc"]["kind"])
    assert account["meeting"] == {
        "held_on": conference["held_on"],
        "place": conference["place"],
        "chairs": conference["co_chairs"],
        "attendance": conference["attendance"],
    }
    assert account["launched"] == [conference["plans_year"]]
    assert account["members"] == FACTS["members"]
    assert account["ratings"] == {
        "of": rated["of"],
        "good_or_better": rated["rated_good_or_better"],
        "excellent": rated["rated_excellent"],
    }
    assert account["leading_unit"] == FACTS["year_2023"]["leading_unit"]
    assert account["nominations"] == [
        {"award": CODES[stated["award"]], "nominee": nominee}
        for stated in FACTS["year_2023"]["nominations"]
        for nominee in stated["nominees"]
    ]
    ahead = FACTS["year_2024"]
    assert account["offices"] == {"2024": {"head": ahead["head"], "deputy": ahead["deputy_head"]}}
    assert account["pledge"] == {"year": 2024, "signed": ahead["pledge_signed_by"], "of": len(FACTS["members"])}


def test_the_account_says_nothing_else(played: Played) -> None:
    assert list(played.account) == [
        "province",
        "bloc",
        "bloc_kind",
        "meeting",
        "launched",
        "members",
        "ratings",
        "leading_unit",
        "nominations",
        "offices",
        "pledge",
        "dispute",
        "explained",
        "counterfactual",
        "head_position",
        "root",
        "signed",
        "followed",
        "illustrative",
    ]
    assert played.printed.count("\n") == 1


def test_the_account_names_the_head_of_the_log(played: Played) -> None:
    steps = the_year(load_facts(), load_illustrations(), operator="operator")
    # the log's opening; a province opened is four events; a count closes its ballot; a correction freezes the ranking
    counts = sum(step.key.startswith("count.") for step in steps)
    assert played.account["head_position"] == 1 + 3 + len(steps) + counts + 1
    assert len(bytes.fromhex(played.account["root"])) == 32
    signed = played.account["signed"]
    assert (signed["size"], signed["root"]) == (played.account["head_position"], played.account["root"])


def test_an_integrator_is_sent_what_is_public_and_nothing_else(played: Played) -> None:
    told = played.account["followed"]
    assert told["through"] == played.account["head_position"]
    assert sum(told["by_kind"].values()) == told["events"] < told["through"]
    assert told["by_kind"]["bloc"] == 1 + len(FACTS["members"])
    assert not {"access", "scoring"} & told["by_kind"].keys()


def test_dispute_goes_from_filing_to_corrected_standings(played: Played) -> None:
    told = played.account["dispute"]
    assert told["state"] == "upheld"
    course = [*told["contested"], told["filed"], *told["answered"], told["decided"], *told["corrections"]]
    assert course == sorted(course) == told["dossier"]["proved"]
    before, after = told["before"], told["after"]
    assert (before["position"], after["position"]) == (told["decided"], max(told["corrections"]))
    assert (before["rank"], before["points"]) == (10, "78.5")
    assert (after["rank"], after["points"]) == (8, "82")


def test_figure_is_the_sum_of_what_proved_events_say(played: Played) -> None:
    told, dispute = played.account["explained"], played.account["dispute"]
    assert told["value"] == dispute["after"]["points"]
    assert sum(Decimal(each["value"]) for each in told["inputs"]) == Decimal(told["value"])
    rested_on = {position for each in told["inputs"] for position in each["events"]}
    assert [each["position"] for each in told["events"]] == sorted(rested_on)
    assert told["events"][-1] == {"position": dispute["corrections"][0], "type": "scoring.score-appraised.v1"}


def test_without_the_correction_it_would_be_as_before(played: Played) -> None:
    told, dispute = played.account["counterfactual"], played.account["dispute"]
    assert told["without"] == dispute["corrections"]
    for supposed, was in (("supposed", "before"), ("actual", "after")):
        assert told[supposed] == {what: dispute[was][what] for what in ("rank", "points")}


def test_dossier_is_left_for_the_offline_verifier(played: Played) -> None:
    dossier = played.data / f"dossier-{played.account['dispute']['dispute']}.tar"
    (key,) = played.account["signed"]["signed_by"]
    verifying = [sys.executable, "-m", "emulation_saas", "verify", "dossier", "--vkey", key]
    whole = subprocess.run([*verifying, str(dossier)], check=False, capture_output=True, text=True, timeout=RUN_S)
    assert (whole.returncode, whole.stdout.partition(":")[0]) == (0, "ok")
    altered = played.data / "altered.tar"
    altered.write_bytes(dossier.read_bytes().replace(b'"points":"15.5"', b'"points":"19.5"'))
    found = subprocess.run([*verifying, str(altered)], check=False, capture_output=True, text=True, timeout=RUN_S)
    corrected = played.account["dispute"]["corrections"][0]
    assert (found.returncode, found.stdout.split(": ")[:2]) == (1, ["tampered", f"position {corrected}"])


def test_everything_made_up_is_listed(played: Played) -> None:
    listed = played.account["illustrative"]
    together = "\n".join(listed)
    steps = the_year(load_facts(), load_illustrations(), operator="operator")
    seen_in_no_document = {"person", "self-score", "appraisal"}
    texts = [
        (step.key, text.partition(": ")[2])
        for step in steps
        if step.key.partition(".")[0] not in seen_in_no_document
        for text in made_up_texts(step.body)
    ]
    assert len(texts) > 40
    assert [(key, text) for key, text in texts if text not in together and not text.startswith("Quản trị viên")] == []
    for figures in (
        "standings 2023 criteria, points, ranks",
        "year 2023 rules.dispute_answer_days",
        "dispute minh-hoa-kien-nghi-1 evidence, answer, decision, corrections",
        "persons: ",
        "bloc effective_on, members.since",
    ):
        assert figures in together
    ballots = [step.body["ballot"] for step in steps if step.key.startswith("ballot.")]
    assert len(ballots) == 5
    assert all(f"ballot {ballot} mode, rule, counts, votes, shares, chosen" in listed for ballot in ballots)
    assert all(ballot.startswith(MADE_UP) for ballot in ballots)
    assert f"province name: {played.account['province']}" in listed


def test_nothing_stated_is_listed_as_made_up(played: Played) -> None:
    texts = {entry.partition(": ")[2] for entry in played.account["illustrative"]}
    assert not texts & {*FACTS["members"], FACTS["bloc"]["name"], FACTS["conference"]["place"]}


def test_who_was_excellent_is_not_invented() -> None:
    steps = the_year(load_facts(), load_illustrations(), operator="operator")
    ratings = [step.body for step in steps if step.path.endswith("/ratings")]
    assert [set(body) for body in ratings] == [{"aggregate", "authority"}]


def test_progress_is_one_line_a_step_and_no_log_of_requests(played: Played) -> None:
    steps = the_year(load_facts(), load_illustrations(), operator="operator")
    told = [line for line in played.said.splitlines() if line.startswith("[")]
    assert told == [f"[{place:>3}/{len(steps)}] {step.says}" for place, step in enumerate(steps, start=1)]
    assert '"event"' not in played.said
    assert '"event":"request"' in (played.data / "demo.log").read_text(encoding="utf-8")


def test_every_step_has_a_key_of_its_own() -> None:
    steps = the_year(load_facts(), load_illustrations(), operator="operator")
    assert [key for key, times in Counter(step.key for step in steps).items() if times > 1] == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop(played: Played, number: signal.Signals) -> None:
    with serving(played.data, number) as said:
        pass
    assert said[0] == f"{FACTS['bloc']['name']}, {played.account['province']}"
    assert [line for line in said if line[:1] != " " and "; " in line] == [
        f"Xếp hạng năm 2023 (standings; {MARK})",
        f"Kiến nghị về điểm năm 2023 (dispute; {MARK})",
        f"Vì sao có điểm này (explain; {MARK})",
        f"Nếu không chấm lại (what if; {MARK})",
        f"Kết quả bỏ phiếu (tallies; {MARK})",
    ]
    assert any(line.endswith("/schema") for line in said)
    assert "  Trưởng Khối: Sở Nội vụ" in said
    for checked in ("/log/checkpoint", "/dossier", " export bac-song ", " verify export ", " verify dossier "):
        assert any(checked in line for line in said), checked


class Tampering(Api):
    """The public API behind somebody who exchanges a word in the answers below one path."""

    def __init__(self, api: Api, below: str, old: bytes, new: bytes) -> None:
        self._api, self._below, self._old, self._new = api, below, old, new
        self.is_done = False

    def ask(self, path: str, body: dict[str, Any], *, by: str) -> dict[str, Any]:
        return self._api.ask(path, body, by=by)

    def get_bytes(self, path: str, /, *, by: str, **query: str | int) -> bytes:
        answer = self._api.get_bytes(path, by=by, **query)
        if not path.startswith(f"/provinces/bac-song{self._below}") or self._old not in answer:
            return answer
        self.is_done = True
        return answer.replace(self._old, self._new, 1)


def test_played_again_it_changes_nothing_and_nothing_later_changes_the_account(played: Played) -> None:
    made = load_illustrations()
    with serving(played.data, signal.SIGTERM) as said, closing(api_of(played.data, said)) as api:
        assert api.get("/provinces/bac-song/log", by="admin")["position"] == played.account["head_position"]
        voting = next(
            step for step in the_year(load_facts(), made, operator="operator") if step.key.startswith("vote.")
        )
        vote = {**voting.body, "agency": made.roll_call_waits_for}
        by = representative(made.roll_call_waits_for)
        (cast,) = api.post(f"/provinces/bac-song{voting.path}", vote, by=by, key="later")["events"]
        assert int(cast["id"]) > played.account["head_position"]
        with pytest.raises(DemoRefusedError, match="--data"):  # what another version of the demo would meet
            play([replace(voting, body=vote)], api, province="bac-song", progress=lambda _: None)
    again = subprocess.run(
        command(played.data, "--once", "--json"), check=False, capture_output=True, text=True, timeout=RUN_S
    )
    assert (again.returncode, again.stdout) == (0, played.printed)


def test_what_does_not_verify_is_not_told(played: Played) -> None:
    head, dispute = played.account["head_position"], played.account["dispute"]
    corrected, first = dispute["corrections"][0], dispute["contested"][0]
    points = (b'"points":"15.5"', b'"points":"19.5"')
    with serving(played.data, signal.SIGTERM) as said, closing(api_of(played.data, said)) as api:
        library = Library(api, province="bac-song", bloc=load_illustrations().bloc, head=head)
        assert audit(api, library).root == played.account["root"]
        for below, old, new in (
            ("/log/checkpoints/", b"\n%d\n" % head, b"\n%d\n" % (head - 1)),
            ("/log/proof/consistency", b'"first":%d' % head, b'"first":%d' % (head - 1)),
            ("/blocs/", *points),  # in the dossier
            ("/events/", *points),
            ("/events/", b"index %d" % (corrected - 1), b"index %d" % (first - 1)),
            ("/explain", b'"root":"', b'"root":"AAAA'),
        ):
            tampering = Tampering(api, below, old, new)
            with pytest.raises(DemoRefusedError, match="does not verify"):
                audit(tampering, library)
            assert tampering.is_done, below


def api_of(data: Path, said: list[str]) -> Api:
    """Return the API of a demo that serves, by the link to its description."""
    url = next(line.strip().removesuffix("/schema") for line in said if line.endswith("/schema"))
    return Api(url, LocalIssuer(data).issue, between=lambda: None)


def test_made_up_votes_choose_exactly_whom_they_shall() -> None:
    votes = paper_votes(["a", "b", "c", "d", "e"], ["d", "b"], voters=8, seats=2)
    assert votes == {"d": 6, "b": 5, "a": 2, "c": 2, "e": 1}
    assert sum(votes.values()) == 16
