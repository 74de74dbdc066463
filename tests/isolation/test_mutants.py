"""The catalogue test can fail (T2): each of the sixteen known faults, brought in alone, is named, and nothing else."""

from typing import TYPE_CHECKING, Final

import pytest

from tests.isolation.catalogue import faults
from tests.isolation.mutants import SOUND_TABLE, Mutant, misread, said_of

if TYPE_CHECKING:
    from tests.database import Connection

LENIENT: Final = "(province_id = (NULLIF(current_setting('emulation.province'::text, true), ''::text))::uuid)"

# In the order of reliability.md 2.4, T2.
MUTANTS: Final = [
    Mutant(
        "no force",
        "ALTER TABLE events NO FORCE ROW LEVEL SECURITY",
        ("public.events: row security is not forced",),
    ),
    Mutant(
        "disable",
        "ALTER TABLE events DISABLE ROW LEVEL SECURITY",
        ("public.events: row security is not enabled",),
    ),
    Mutant(
        "using true",
        "ALTER POLICY own_province ON events USING (true)",
        (misread("public.events", using="true"),),
    ),
    Mutant(
        "with check true",
        "ALTER POLICY own_province ON events WITH CHECK (true)",
        (misread("public.events", check="true"),),
    ),
    Mutant(
        "dropped policy",
        "DROP POLICY own_province ON sealing.log_keys",
        ("sealing.log_keys: policy own_province is missing",),
    ),
    Mutant(
        "extra permissive policy",
        "CREATE POLICY all_may_look ON events FOR SELECT USING (position > 0)",
        ("public.events: policy all_may_look is not known",),
    ),
    Mutant(
        "missing_ok",
        "ALTER POLICY own_province ON event_tags USING"
        " (province_id = nullif(current_setting('emulation.province', true), '')::uuid)",
        (misread("public.event_tags", using=LENIENT),),
    ),
    Mutant(
        "view with its owner's rights",
        "CREATE VIEW bodies WITH (security_invoker = false) AS SELECT province_id, body FROM events;"
        "GRANT SELECT ON bodies TO emulation_app",
        ("view without security_invoker bodies is not allowed",),
    ),
    Mutant(
        "unique index without province_id",
        "CREATE UNIQUE INDEX one_key_for_all ON idempotency (actor, key)",
        ("public.idempotency: index one_key_for_all does not begin with province_id",),
    ),
    Mutant(
        "materialized view",
        "CREATE MATERIALIZED VIEW counts AS SELECT province_id, count(*) AS events FROM events"
        " GROUP BY province_id WITH NO DATA",
        ("materialized view counts is not allowed",),
    ),
    Mutant(
        "grant update",
        "GRANT UPDATE ON events TO emulation_app",
        ("public.events: emulation_app may UPDATE",),
    ),
    Mutant(
        "bypassrls",
        "ALTER ROLE emulation_app BYPASSRLS",
        ("emulation_app has rolbypassrls",),
        role="postgres",
    ),
    Mutant(
        "membership in the owner",
        "GRANT emulation_owner TO emulation_app",
        ("emulation_app is a member of emulation_owner",),
        role="postgres",
    ),
    Mutant(
        "security definer function",
        "CREATE FUNCTION all_events() RETURNS bigint LANGUAGE sql SECURITY DEFINER"
        " AS 'SELECT count(*) FROM public.events'; GRANT EXECUTE ON FUNCTION all_events TO emulation_app",
        ("function all_events() runs with its owner's rights",),
    ),
    Mutant(
        "new table without row security",
        "CREATE TABLE notes (province_id uuid NOT NULL, line integer NOT NULL, PRIMARY KEY (province_id, line));"
        "GRANT SELECT, INSERT ON notes TO emulation_app",
        (
            "public.notes: policy own_province is missing",
            "public.notes: row security is not enabled",
            "public.notes: row security is not forced",
        ),
    ),
    Mutant(
        "foreign key without province_id",
        f"{SOUND_TABLE} ALTER TABLE log_head ADD marker text, ADD marked uuid;"
        "ALTER TABLE log_head ADD CONSTRAINT marks FOREIGN KEY (marked, marker) REFERENCES notes (province_id, handle)",
        ("log_head: foreign key marks does not carry province_id",),
    ),
]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda each: each.name)
async def test_mutant_is_caught(mutant: Mutant, administrator: "Connection") -> None:
    assert await said_of(mutant, administrator) == list(mutant.said)
    assert await faults(administrator) == []


def test_there_are_sixteen() -> None:
    assert len({each.name for each in MUTANTS}) == 16
