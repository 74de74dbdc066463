"""The schema and the statements stay fit to be spread over nodes by province (`postgres/distributing.py`).

What makes them so is mostly what keeps provinces apart anyway, and is held of every object in the catalogue by
`tests/isolation`: province_id leads every key and index, and there is no trigger, sequence or foreign object. Here is
what only a distributed server asks for; each point was seen to fail on a real cluster.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.law.migrations import statements_of

SOURCE: Final = Path(__file__).resolve().parents[2] / "src" / "emulation_saas"
# What a later migration may not bring: where it is not refused, rows of one province would wait for those of another.
UNFIT: Final = {
    "a trigger": r"CREATE (?:OR REPLACE )?(?:CONSTRAINT )?TRIGGER",
    "a sequence": r"CREATE SEQUENCE|\b\w*serial\b|GENERATED (?:ALWAYS|BY DEFAULT) AS IDENTITY|\bnextval\(",
    "a foreign key": r"\bREFERENCES\b|\bFOREIGN KEY\b",
    "an exclusion": r"\bEXCLUDE\b",
    "a materialized view": r"CREATE MATERIALIZED VIEW",
    "a partition": r"\bPARTITION (?:BY|OF)\b",
    "a policy with a sub-select": r"CREATE POLICY .*\bSELECT\b(?! TO )",
    "a function of no province": r"CREATE FUNCTION \w+ ?\((?!\s*p_province uuid)",
}
KEY: Final = re.compile(r"(?:PRIMARY KEY|UNIQUE) \((\w+)")
REGISTRY: Final = "CREATE TABLE provinces "


def migrations() -> dict[str, list[str]]:
    folder = SOURCE / "postgres" / "migrations"
    return {path.name: statements_of(path.read_text(encoding="utf-8")) for path in folder.glob("*.sql")}


def unfit(statement: str) -> list[str]:
    """Return what of a migration's statement cannot be spread by province."""
    found = [what for what, pattern in UNFIT.items() if re.search(pattern, statement)]
    keys = KEY.findall(statement)
    if not statement.startswith(REGISTRY) and any(first != "province_id" for first in keys):
        found.append("a key that does not begin with province_id")
    return found


def written_without_answer(statement: str) -> list[str]:
    """Return the tables that a statement fills from a SELECT without ON CONFLICT or RETURNING.

    A distributed server fills those by COPY, which PostgreSQL refuses under row security; within a function that runs
    on the province's own node it does not.
    """
    text = re.sub(r"--[^\n]*", "", statement)
    inserts = re.finditer(r"\bINSERT INTO (\S+)[^;]*?(?=\n\)|\n\w+ AS \(|;|\Z)", text)
    return [
        match[1]
        for match in inserts
        if re.search(r"\bSELECT\b", match[0]) and not re.search(r"\bON CONFLICT\b|\bRETURNING\b", match[0])
    ]


def changed_by_the_clock(statement: str) -> bool:
    """Tell whether an UPDATE or DELETE asks a function that gives another answer each time: these are refused."""
    changes = re.search(r"(?<!FOR )(?<!DO )\bUPDATE\b|\bDELETE\b|\bDO UPDATE\b", re.sub(r"--[^\n]*", "", statement))
    return bool(changes and re.search(r"\b(?:clock_timestamp|timeofday|random|gen_random_uuid)\(", statement))


def strings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_migrations_bring_nothing_that_cannot_be_spread() -> None:
    found = {(name, what) for name, lines in migrations().items() for line in lines for what in unfit(line)}
    assert found == set()


def test_statements_fill_no_table_by_copy() -> None:
    files = SOURCE.glob("*/sql/*.sql")
    found = {
        path.stem: tables for path in files if (tables := written_without_answer(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_statements_change_nothing_by_what_differs_between_nodes() -> None:
    found = [path.stem for path in SOURCE.glob("*/sql/*.sql") if changed_by_the_clock(path.read_text(encoding="utf-8"))]
    assert found == []


@pytest.mark.parametrize(
    ("statement", "is_changed"),
    [
        ("UPDATE t SET at = clock_timestamp() WHERE province_id = $1", True),
        ("INSERT INTO t VALUES ($1) ON CONFLICT (a) DO UPDATE SET at = clock_timestamp()", True),
        ("DELETE FROM t WHERE province_id = $1 AND at < clock_timestamp()", True),
        ("UPDATE t SET at = statement_timestamp() WHERE province_id = $1", False),
        ("SELECT clock_timestamp() FROM t WHERE province_id = $1 FOR UPDATE", False),
        ("INSERT INTO t VALUES ($1, clock_timestamp()) ON CONFLICT (a) DO NOTHING", False),
    ],
)
def test_a_change_by_the_clock_is_found(statement: str, *, is_changed: bool) -> None:
    assert changed_by_the_clock(statement) is is_changed


def test_sessions_are_told_their_province_by_a_statement() -> None:
    """`set_config()` is no statement, so it would not reach the node that holds the province."""
    said = {path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py") for text in strings(path)
            if "emulation.province" in text and "SET LOCAL" in text}  # fmt: skip
    assert said == {"postgres/database.py"}
    called = [path.name for path in SOURCE.glob("*/sql/*.sql") if "set_config" in path.read_text(encoding="utf-8")]
    assert called == []


def test_only_the_migrator_sets_what_outlives_its_transaction() -> None:
    outliving = re.compile(r"\bSET (?!LOCAL\b)(?:SESSION )?[a-z_.]+ (?:=|TO) |\bSET ROLE\b")
    said = {path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py") for text in strings(path)
            if outliving.match(text)}  # fmt: skip
    assert said == {"postgres/migrating.py"}


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER INSERT ON events EXECUTE FUNCTION f()",
        "CREATE TABLE t (province_id uuid NOT NULL, n bigserial)",
        "CREATE TABLE t (province_id uuid NOT NULL, n bigint GENERATED ALWAYS AS IDENTITY)",
        "CREATE TABLE t (province_id uuid NOT NULL, n bigint REFERENCES other (n))",
        "CREATE TABLE t (province_id uuid NOT NULL, n bigint, PRIMARY KEY (n))",
        "CREATE TABLE t (province_id uuid NOT NULL, n bigint, UNIQUE (n, province_id))",
        "CREATE TABLE t (province_id uuid NOT NULL) PARTITION BY HASH (province_id)",
        "CREATE MATERIALIZED VIEW v AS SELECT 1",
        "CREATE POLICY p ON t USING (province_id = (SELECT current_setting('emulation.province')::uuid))",
        "CREATE FUNCTION f(p_position bigint) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$",
    ],
)
def test_what_cannot_be_spread_is_found(statement: str) -> None:
    assert unfit(statement) != []


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        ("INSERT INTO events (province_id) SELECT $1 FROM unnest($2) AS t;", ["events"]),
        ("WITH a AS (\n    INSERT INTO events (province_id)\n    SELECT $1\n)\n\nSELECT 1 RETURNING;", ["events"]),
        ("INSERT INTO events (province_id) SELECT $1 FROM unnest($2) AS t RETURNING position;", []),
        ("INSERT INTO events (province_id) SELECT $1 ON CONFLICT DO NOTHING;", []),
        ("INSERT INTO events (province_id) VALUES ($1);", []),
    ],
)
def test_a_table_that_would_be_filled_by_copy_is_found(statement: str, tables: list[str]) -> None:
    assert written_without_answer(statement) == tables
