"""Migrations hold nobody up, and the release before goes on beside them: see `CONTRIBUTING.md` and `migrations`."""

from pathlib import Path
from typing import Final

import pytest

from tests.law.migrations import faults, statements_of

FOLDER: Final = Path(__file__).resolve().parents[2] / "src" / "emulation_saas" / "postgres" / "migrations"
# Released before this law, and why it did no harm. A reason for a new one has to be as good.
REASONS: Final = {
    "0005_pre_privacy.sql: ALTER TABLE sealing.subject_keys DROP CONSTRAINT subject_keys_have_256_bits": (
        "the deploy page tells to stop the release before first: it cannot read wrapped keys"
    ),
    "0005_pre_privacy.sql: ALTER TABLE sealing.subject_keys ADD CONSTRAINT subject_keys_are_wrapped_or_from": (
        "the same; and the table has a row for each person, so it is read in a moment"
    ),
}
OLD: Final = "CREATE TABLE old (province_id uuid NOT NULL, n integer, CONSTRAINT old_is PRIMARY KEY (province_id));"


def released() -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.sql")}


def of(statement: str, *, when: str = "pre") -> list[str]:
    return faults({"0001_pre_old.sql": OLD, f"0002_{when}_new.sql": statement})


def test_released_migrations_hold_nobody_up() -> None:
    assert [fault for fault in faults(released()) if fault not in REASONS] == []


def test_no_reason_outlives_what_it_excuses() -> None:
    assert REASONS.keys() <= set(faults(released()))


def test_the_law_sees_statements_whole() -> None:
    script = "-- a; comment\nSELECT ';', $$ BEGIN; -- no comment\n END; $$;\nSELECT\n  2;"
    assert statements_of(script) == ["SELECT ';', $$ BEGIN; -- no comment END; $$", "SELECT 2"]
    assert sum(len(statements_of(text)) for text in released().values()) > 80


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE old ALTER COLUMN n TYPE bigint",
        "ALTER TABLE old ALTER COLUMN n SET NOT NULL",
        "ALTER TABLE old ADD COLUMN m integer NOT NULL",
        "ALTER TABLE old ADD COLUMN m uuid DEFAULT gen_random_uuid()",
        "ALTER TABLE old ADD COLUMN m bigint GENERATED ALWAYS AS (n) STORED",
        "ALTER TABLE old ADD COLUMN m integer REFERENCES other (n)",
        "ALTER TABLE old ADD CONSTRAINT n_counts CHECK (n > 0)",
        "ALTER TABLE old ADD CONSTRAINT n_is UNIQUE (province_id, n)",
        "ALTER TABLE old ADD COLUMN m integer, ALTER COLUMN n TYPE bigint",
        "ALTER TABLE old RENAME COLUMN n TO m",
        "ALTER TABLE old RENAME TO older",
        "ALTER TABLE old SET TABLESPACE elsewhere",
        "ALTER TABLE old DROP COLUMN n",
        "CREATE INDEX old_by_n ON old (province_id, n)",
        "CREATE INDEX CONCURRENTLY old_by_n ON old (province_id, n)",
        "CREATE POLICY more ON old USING (true)",
        "DROP TABLE old",
        "DROP INDEX old_by_n",
        "DROP FUNCTION append_v1",
        "REVOKE SELECT ON old FROM emulation_app",
        "CREATE OR REPLACE FUNCTION append_v1() RETURNS integer LANGUAGE sql AS $$ SELECT 1 $$",
        "UPDATE old SET n = 1",
        "INSERT INTO old SELECT * FROM other",
        "LOCK TABLE old",
        "VACUUM FULL old",
        "CLUSTER old",
        "TRUNCATE old",
        "DO $$ BEGIN UPDATE old SET n = 1; END $$",
        "CREATE TABLE more (); CREATE INDEX CONCURRENTLY IF NOT EXISTS old_by_n ON old (province_id, n)",
    ],
)
def test_what_would_hold_the_service_up_or_break_the_release_before_is_found(statement: str) -> None:
    assert of(statement) != []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE old ADD COLUMN m integer",
        "ALTER TABLE old ADD COLUMN m text COLLATE \"C\" DEFAULT 'none'",
        "ALTER TABLE old ADD COLUMN m integer NOT NULL DEFAULT 0, ADD COLUMN k timestamptz",
        "ALTER TABLE old ADD CONSTRAINT n_counts CHECK (n > 0) NOT VALID",
        "ALTER TABLE old VALIDATE CONSTRAINT n_counts",
        "ALTER TABLE old SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01)",
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS old_by_n ON old (province_id, n)",
        "CREATE TABLE more (n integer); CREATE INDEX more_by_n ON more (n); ALTER TABLE more ALTER n TYPE bigint",
        "CREATE FUNCTION append_v2() RETURNS integer LANGUAGE sql AS $$ UPDATE old SET n = 1 RETURNING n $$",
        "GRANT SELECT ON old TO emulation_app",
    ],
)
def test_what_only_adds_passes(statement: str) -> None:
    assert of(statement) == []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE old DROP COLUMN n",
        "DROP TABLE old",
        "DROP INDEX CONCURRENTLY IF EXISTS old_by_n",
        "DROP FUNCTION f",
    ],
)
def test_what_takes_away_is_post(statement: str) -> None:
    assert of(statement, when="post") == []


def test_a_file_locks_one_table_that_is_in_use() -> None:
    lock = "ALTER TABLE {} ADD COLUMN m integer;"
    made = {"0001_pre_a.sql": "CREATE TABLE a (); CREATE TABLE b ();"}
    assert faults({**made, "0002_pre_both.sql": lock.format("a") + lock.format("b")}) == [
        "0002_pre_both.sql: locks a, b at once"
    ]
    assert faults({**made, "0002_pre_a.sql": lock.format("a"), "0003_pre_b.sql": lock.format("b")}) == []


def test_a_constraint_is_validated_after_its_lock_is_gone() -> None:
    added = "ALTER TABLE old ADD CONSTRAINT n_counts CHECK (n > 0) NOT VALID;"
    assert len(of(added + "ALTER TABLE old VALIDATE CONSTRAINT n_counts")) == 1
