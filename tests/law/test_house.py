"""The house rules that a machine can hold: names, sizes, where SQL lies, what a clean clone needs."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from emulation_saas.postgres.statements import load_statements

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = ROOT / "src" / "emulation_saas"
CAPABILITIES: Final = frozenset(
    {"provinces", "agencies", "blocs", "years", "scoring", "ratings", "ballots", "nominations"}
    | {"pledges", "offices", "meetings", "access", "disputes", "privacy", "webhooks"}
)
BANNED_NAMES: Final = frozenset({"utils", "helpers", "common", "base", "core", "manager", "service", "misc", "types"})
TOP_LEVEL: Final = frozenset({"src", "projections", "deploy", "tests"})
SQL_VERBS: Final = re.compile(r"(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|GRANT|REVOKE|DROP|WITH)\s+\S", re.ASCII)
MACHINE_PATHS: Final = re.compile(r"(/home|/Users|/root|/work|/opt|C:\\)/?[a-z]")
REGISTRY_HOSTS: Final = re.compile(r"pypi" + r"\.org|files\.python" + r"hosted|index-url|find-links")
FILE_LINES_MAX: Final = 300
TEST_FILE_LINES_MAX: Final = 400
FUNCTION_LINES_MAX: Final = 70
READ_ALONE: Final = {"src/emulation_saas/audit/verifier.py": 1000}
"""An auditor takes this one file along, so it cannot be split: its own limit is what can be read in an hour."""


def tracked(pattern: str) -> list[Path]:
    """Return the files of the house: what git knows or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", pattern]
    listed = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if listed.returncode == 0:
        return sorted(path for path in (ROOT / line for line in listed.stdout.splitlines()) if path.is_file())
    everywhere = (path for path in ROOT.rglob(pattern) if ".venv" not in path.parts)
    return sorted(path for path in everywhere if path.is_file())


def python_files() -> list[Path]:
    return [path for path in tracked("*.py") if path.relative_to(ROOT).parts[0] in TOP_LEVEL]


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Give each function's name and length in lines, decorators not counted."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def sql_strings(source: str) -> list[str]:
    """Return the string literals that are statements. Docstrings begin with a word, not with a statement's verb."""
    strings = (node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    return [value for value in strings if isinstance(value, str) and SQL_VERBS.match(value.lstrip())]


def foreign_imports(capability: str, source: str) -> list[str]:
    """Return the imports by which a capability reads more of another than its events."""
    modules: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            whole_package = node.module.count(".") == 1 or node.module == "emulation_saas"
            modules += names if whole_package else [node.module]
    parts = [module.split(".") for module in modules]
    return [
        ".".join(part)
        for part in parts
        if part[0] == "emulation_saas"
        and len(part) > 1
        and part[1] in CAPABILITIES - {capability}
        and part[2:3] != ["events"]
    ]


def test_no_module_has_a_name_that_says_nothing() -> None:
    named = {path: {path.stem, *path.relative_to(ROOT).parts[:-1]} for path in python_files()}
    assert [str(path) for path, names in named.items() if names & BANNED_NAMES] == []


def test_files_and_functions_are_short() -> None:
    too_long: list[str] = []
    for path in python_files():
        lines = len(path.read_text(encoding="utf-8").splitlines())
        limit = TEST_FILE_LINES_MAX if path.is_relative_to(ROOT / "tests") else FILE_LINES_MAX
        limit = READ_ALONE.get(path.relative_to(ROOT).as_posix(), limit)
        if lines > limit:
            too_long.append(f"{path}: {lines} lines")
        too_long += [
            f"{path}: {name}, {length} lines" for name, length in functions(path) if length > FUNCTION_LINES_MAX
        ]
    assert too_long == []


def test_sql_lies_in_sql_files_only() -> None:
    found = {
        path: sql_strings(path.read_text(encoding="utf-8")) for path in python_files() if "tests" not in path.parts
    }
    assert {path: strings for path, strings in found.items() if strings} == {}


@pytest.mark.parametrize(
    "source", ['x = "SELECT 1"', 'x = f"""\n  INSERT INTO {t} VALUES (1)"""', 'x = "DROP TABLE y"']
)
def test_a_statement_in_python_is_found(source: str) -> None:
    assert sql_strings(source)


def test_prose_is_not_taken_for_a_statement() -> None:
    assert sql_strings('"""Create the table, then select from it."""\nx = "UPDATE"') == []


def test_every_statement_file_has_a_true_heading() -> None:
    folders = sorted(path for path in PACKAGE.rglob("sql") if path.is_dir())
    assert folders
    for folder in folders:
        package = ".".join(folder.parent.relative_to(ROOT / "src").parts)
        assert load_statements(package).keys() == {path.stem for path in folder.glob("*.sql")}


def test_no_file_knows_a_machine_or_a_registry() -> None:
    found: list[str] = []
    for path in tracked("*"):
        if path.suffix in {".png", ".ico", ".woff2"} or path == Path(__file__).resolve():
            continue
        text = path.read_text(encoding="utf-8")
        found += [f"{path}: {match.group()}" for match in REGISTRY_HOSTS.finditer(text) if path.name != "Makefile"]
        if path.suffix in {".py", ".sql", ".toml", ".lock", ""} and path.name != "LICENSE":
            found += [f"{path}: {match.group()}" for match in MACHINE_PATHS.finditer(text)]
    assert found == []


def test_every_pin_in_the_lock_has_a_hash() -> None:
    pins = re.split(r"\n(?=[a-z])", (ROOT / "requirements.lock").read_text(encoding="utf-8"))
    assert len(pins) > 50
    assert [pin.splitlines()[0] for pin in pins if "==" not in pin or "--hash=sha256:" not in pin] == []


def test_every_target_of_the_makefile_is_documented() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    described = re.findall(r"^([a-z0-9-]+):.*## \S", makefile, re.MULTILINE)
    assert set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE)) == set(described) == set(phony[1].split())


def test_a_capability_reads_only_the_events_of_another() -> None:
    found: dict[Path, list[str]] = {}
    for capability in sorted(CAPABILITIES):
        for path in (PACKAGE / capability).rglob("*.py"):
            found[path] = foreign_imports(capability, path.read_text(encoding="utf-8"))
    assert {path: modules for path, modules in found.items() if modules} == {}


@pytest.mark.parametrize(
    "source",
    [
        "from emulation_saas.blocs.use_cases import AdmitMember",
        "from emulation_saas.blocs import use_cases",
        "import emulation_saas.blocs.routes",
        "from emulation_saas import blocs",
    ],
)
def test_reading_more_of_another_capability_is_found(source: str) -> None:
    assert foreign_imports("ballots", source)


@pytest.mark.parametrize(
    "source",
    [
        "from emulation_saas.blocs.events import MemberAdmitted",
        "from emulation_saas.blocs import events",
        "from emulation_saas.ballots.use_cases import CastVote",
        "from emulation_saas.kernel.ids import BlocId",
    ],
)
def test_events_of_others_and_all_of_its_own_may_be_read(source: str) -> None:
    assert foreign_imports("ballots", source) == []


def test_every_decision_is_short() -> None:
    text = (ROOT / "DECISIONS.md").read_text(encoding="utf-8")
    decisions = re.split(r"^## (?=D-)", text, flags=re.MULTILINE)[1:]
    assert [part.splitlines()[0] for part in decisions if len(part.strip().splitlines()) > 15] == []
    assert [part[:5] for part in decisions] == [f"D-{number:03}" for number in range(1, len(decisions) + 1)]
