"""The main job from outside: the demo as a process of its own, held against a copy of the article's facts."""

import json
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from emulation_saas.demo.facts import load_facts
from emulation_saas.demo.illustrations import MADE_UP, MARK, load_illustrations, made_up_texts, paper_votes
from emulation_saas.demo.script import the_year

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
        "head_position",
        "root",
        "illustrative",
    ]
    assert played.printed.count("\n") == 1


def test_the_account_names_the_head_of_the_log(played: Played) -> None:
    steps = the_year(load_facts(), load_illustrations(), operator="operator")
    # the log's opening; a province opened is four events; a count closes its ballot
    counts = sum(step.key.startswith("count.") for step in steps)
    assert played.account["head_position"] == 1 + 3 + len(steps) + counts
    assert len(bytes.fromhex(played.account["root"])) == 32


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
    for figures in ("standings 2023 criteria, points, ranks", "persons: ", "bloc effective_on, members.since"):
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


def test_a_second_run_changes_nothing_and_prints_the_same(played: Played) -> None:
    again = subprocess.run(
        command(played.data, "--once", "--json"), check=False, capture_output=True, text=True, timeout=RUN_S
    )
    assert (again.returncode, again.stdout) == (0, played.printed)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop(played: Played, number: signal.Signals) -> None:
    with subprocess.Popen(
        command(played.data), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as running:
        assert running.stdout is not None
        said: list[str] = []
        for line in running.stdout:
            said.append(line.rstrip("\n"))
            if line.startswith("Ctrl-C"):
                break
        assert running.poll() is None
        running.send_signal(number)
        assert running.wait(15) == 0
    assert said[0] == f"{FACTS['bloc']['name']}, {played.account['province']}"
    assert [line for line in said if "(standings" in line or "(tallies" in line] == [
        f"Xếp hạng năm 2023 (standings; {MARK})",
        f"Kết quả bỏ phiếu (tallies; {MARK})",
    ]
    assert any(line.endswith("/schema") for line in said)
    assert "  Trưởng Khối: Sở Nội vụ" in said


def test_made_up_votes_choose_exactly_whom_they_shall() -> None:
    votes = paper_votes(["a", "b", "c", "d", "e"], ["d", "b"], voters=8, seats=2)
    assert votes == {"d": 6, "b": 5, "a": 2, "c": 2, "e": 1}
    assert sum(votes.values()) == 16
