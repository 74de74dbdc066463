"""The migrated schema keeps provinces apart in every point that the catalogue knows (T1)."""

import re
from typing import TYPE_CHECKING

from tests.isolation import catalogue

if TYPE_CHECKING:
    from tests.database import Connection


async def test_no_object_of_the_schema_lets_provinces_meet(administrator: "Connection") -> None:
    assert await catalogue.faults(administrator) == []


async def test_the_catalogue_sees_every_table_of_the_migrations(administrator: "Connection") -> None:
    """An empty answer of a query that finds no table would be no proof."""
    names = await administrator.fetchval(
        "SELECT array_agg(schemaname || '.' || tablename) FROM pg_tables WHERE schemaname = ANY ('{public,sealing}')"
    )
    protected = {
        "public.log_head",
        "public.events",
        "public.event_tags",
        "public.idempotency",
        "public.checkpoints",
        "public.documents",
        "public.quarantined",
        "public.snapshots",
        "public.access_log",
        "public.cursors",
        "public.consumers",
        "sealing.subject_keys",
        "sealing.province_keys",
        "sealing.log_keys",
        "public.tree_tiles",
        "sealing.signed_heads",
    }
    assert protected <= set(names)
    for name in protected:
        await administrator.execute(f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY")
    assert await catalogue.faults(administrator) == sorted(f"{name}: row security is not forced" for name in protected)


def test_the_golden_text_of_the_policy_fails_closed() -> None:
    """No second argument (missing_ok), no nullif, no default: without a province the cast fails."""
    assert re.fullmatch(r"\(province_id = \(current_setting\('[a-z.]+'::text\)\)::uuid\)", catalogue.OWN_PROVINCE)
