"""Every statement says its province: the first of two guards, row security being the second.

A statement that forgot it would give the right rows under row security, and those of all provinces without.
"""

import re
from pathlib import Path
from typing import Final

import pytest

SOURCE: Final = Path(__file__).resolve().parents[2] / "src" / "emulation_saas"
# The heads of all provinces are read by a role of their own, which may do nothing else.
READS_ALL_PROVINCES: Final = frozenset({"heads"})
OWN: Final = r"(?:\$1|p_province)\b"
KEYWORDS: Final = "as|on|set|where|inner|left|cross|join|order|group|for|values|select|using|limit|returning|union|do"


def province_tables() -> frozenset[str]:
    """Return the tables of the migrations that have a province_id, without the registry, which is the list of them."""
    scripts = (path.read_text(encoding="utf-8") for path in sorted(SOURCE.glob("postgres/migrations/*.sql")))
    created = (
        match for script in scripts for match in re.finditer(r"CREATE TABLE (\S+) \((.*?)\n\)", script, re.DOTALL)
    )
    return frozenset(match[1] for match in created if re.search(r"^\s*province_id\b", match[2], re.MULTILINE)) - {
        "provinces"
    }


def bodies() -> dict[str, str]:
    """Return what runs, by name: each statement file, and the body of each function that a migration makes."""
    found = {path.stem: path.read_text(encoding="utf-8") for path in SOURCE.glob("*/sql/*.sql")}
    for path in SOURCE.glob("postgres/migrations/*.sql"):
        for match in re.finditer(r"CREATE FUNCTION (\w+).*?\$\$(.*?)\$\$", path.read_text(encoding="utf-8"), re.DOTALL):
            found[match[1]] = match[2]
    return found


def unbound(statement: str) -> list[str]:
    """Return the tables of provinces that a statement touches without saying whose rows; comments do not count."""
    text = re.sub(r"--[^\n]*", "", statement)
    tables = "|".join(sorted(map(re.escape, province_tables()), key=len, reverse=True))
    faults: list[str] = []
    for match in re.finditer(rf"\bINSERT\s+INTO\s+({tables})\b(.*?)(?=\bINSERT\b|\Z)", text, re.DOTALL | re.IGNORECASE):
        # What an earlier part of the statement has written is of that province, as this law holds for it too.
        earlier = "|".join(rf"{name}\.province_id" for name in re.findall(r"(\w+) AS \(\s*INSERT INTO", text)) or "(?!)"
        columns = r"\s*(?:AS\s+\w+\s*)?\(\s*province_id\b[^)]*\)\s*(?:VALUES\s*\(\s*|SELECT\s+)"
        if not re.match(rf"{columns}(?:{OWN}|{earlier})", match[2], re.IGNORECASE):
            faults.append(match[1])
    reading = (
        rf"(?<!INSERT INTO )\b(?:FROM|JOIN|UPDATE|,)\s+({tables})\b(?!\s*\()(?:\s+(?:AS\s+)?(?!(?:{KEYWORDS})\b)(\w+))?"
    )
    plain = 0
    for match in re.finditer(reading, text, re.IGNORECASE):
        if match[2] is None:
            plain += 1
            said = len(re.findall(rf"(?<!\.)\bprovince_id\s*=\s*{OWN}", text)) + len(
                re.findall(rf"\b{re.escape(match[1])}\.province_id\s*=\s*{OWN}", text)
            )
            if said < plain:
                faults.append(match[1])
        elif not re.search(rf"\b{match[2]}\.province_id\s*=\s*{OWN}", text):
            faults.append(f"{match[1]} AS {match[2]}")
    return faults


def test_every_statement_names_its_province() -> None:
    found = {name: unbound(text) for name, text in bodies().items() if name not in READS_ALL_PROVINCES}
    assert {name: tables for name, tables in found.items() if tables} == {}


def test_the_province_is_the_first_parameter() -> None:
    """So `$1` is the province in every statement that has one."""
    tables = "|".join(map(re.escape, province_tables()))
    wrong = [
        path.stem
        for path in SOURCE.glob("*/sql/*.sql")
        if path.stem not in READS_ALL_PROVINCES
        # A table that is named in a literal is only spoken of.
        and re.search(rf"\b(?:{tables}|append_v1)\b", re.sub(r"--[^\n]*|'[^']*'", "", text := path.read_text("utf-8")))
        and not text.startswith(f"-- {path.stem}(province_id")
    ]
    assert wrong == []


def test_the_law_sees_the_tables_and_the_statements() -> None:
    assert province_tables() >= {"events", "event_tags", "log_head", "idempotency", "documents", "sealing.log_keys"}
    assert bodies().keys() >= {"append_v1", "events_after", "documents_at", "heads", *READS_ALL_PROVINCES}
    assert unbound(bodies()["heads"]) == ["log_head"]


@pytest.mark.parametrize(
    "statement",
    [
        "-- events_after(province_id)\nSELECT body FROM events WHERE position > $1",
        "SELECT body FROM events WHERE position > $1 AND province_id = $2",
        "SELECT 1 FROM events AS e JOIN event_tags AS t ON t.province_id = e.province_id WHERE e.province_id = $1",
        "SELECT e.body FROM events e WHERE e.position > $1",
        "UPDATE log_head SET position = $1",
        "DELETE FROM documents WHERE projection = $2",
        "WITH gone AS (DELETE FROM documents WHERE projection = $2) DELETE FROM checkpoints WHERE province_id = $1",
        "INSERT INTO events (position, body) VALUES ($1, $2)",
        "WITH head AS (SELECT $2 AS province_id) INSERT INTO events (province_id) SELECT head.province_id FROM head",
        "INSERT INTO events (province_id, body) SELECT t.province, t.body FROM unnest($1) AS t (province, body)",
        "SELECT 1 FROM unnest($1) AS wanted, events WHERE events.position = wanted.position",
    ],
)
def test_a_statement_without_its_province_is_found(statement: str) -> None:
    assert unbound(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT body FROM events WHERE province_id = $1 AND position > $2",
        "SELECT e.body FROM events e WHERE e.province_id = $1",
        "SELECT events.body FROM events WHERE events.province_id = $1",
        "INSERT INTO documents AS kept (province_id, key) VALUES ($1, $2)",
        "INSERT INTO events (province_id, body) SELECT p_province, e.body FROM unnest(p_bodies) AS e (body)",
        """
        WITH head AS (INSERT INTO log_head (province_id) VALUES ($1) RETURNING province_id)
        INSERT INTO events (province_id, body) SELECT head.province_id, $2 FROM head
        """,
        "SELECT handle, province_id FROM provinces",
        "SELECT 1",
    ],
)
def test_a_statement_with_its_province_passes(statement: str) -> None:
    assert unbound(statement) == []
