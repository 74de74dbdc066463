"""Whether the database still keeps provinces apart, as its own catalogue says: what somebody may have changed by hand.

The schema is made so by the migrations, and tests hold every point of it. Here is looked at what would let one province
see another, or the service rewrite what was recorded, if a superuser had altered a table, a policy or a right since.
"""

from typing import TYPE_CHECKING, Any, Final

from emulation_saas.postgres.server import APP_ROLE, HEADS_ROLE, KEYS_ROLE, OWNER_ROLE, STATEMENTS

if TYPE_CHECKING:
    from emulation_saas.postgres.database import Connection

UNPROTECTED: Final = frozenset({"public.provinces", "public.schema_migrations"})
"""The registry says which province a handle means; the migrations' record is the owner's alone."""
FACTS: Final = frozenset(
    {
        "public.provinces",
        "public.events",
        "public.event_tags",
        "public.idempotency",
        "public.tree_tiles",
        "public.access_log",
    }
)
"""What may be added to and never changed."""
SIGNED: Final = frozenset({"sealing.signed_heads", "sealing.log_keys"})
"""The same of the keys' role: what was signed, and by what."""
OWN_PROVINCE: Final = "(province_id = (current_setting('emulation.province'::text))::uuid)"
_HEADS: Final = ("public.log_head", "heads_of_all")


async def catalogue_faults(connection: "Connection") -> list[str]:
    """Return what is wrong, each with what to do; nothing when provinces are kept apart. Any role may ask."""
    tables: list[Any] = await connection.fetch(STATEMENTS["protected_tables"])
    policies: list[Any] = await connection.fetch(STATEMENTS["protecting_policies"])
    if not tables:
        return ["the database holds no tables of the service: run emulation-saas migrate"]
    return [fault for table in tables for fault in _faults_of_table(table)] + _faults_of_policies(tables, policies)


def _faults_of_table(table: Any) -> list[str]:  # noqa: ANN401 - a record
    name: str = table["name"]
    is_protected = name not in UNPROTECTED
    faults = {
        "row security is not enabled: enable and force it as the owner": is_protected and not table["is_enabled"],
        "row security is not forced: force it as the owner": is_protected and not table["is_forced"],
        f"it belongs to {table['owner']}: give it to {OWNER_ROLE}": table["owner"] != OWNER_ROLE,
        f"{APP_ROLE} may change what was recorded: revoke that": name in FACTS and table["app_may_rewrite"],
        f"{KEYS_ROLE} may change what was signed: revoke that": name in SIGNED and table["keys_may_rewrite"],
        f"{APP_ROLE} may read keys: revoke that": name.startswith("sealing.") and table["app_may_read"],
    }
    return [f"{name}, {fault}" for fault, found in faults.items() if found]


def _faults_of_policies(tables: list[Any], policies: list[Any]) -> list[str]:
    wanted = {
        (name, "own_province"): (
            f"PERMISSIVE ALL TO {KEYS_ROLE if name.startswith('sealing.') else APP_ROLE}",
            OWN_PROVINCE,
            OWN_PROVINCE,
        )
        for name in (str(table["name"]) for table in tables)
        if name not in UNPROTECTED
    }
    wanted[_HEADS] = (f"PERMISSIVE SELECT TO {HEADS_ROLE}", "true", "")
    found = {(each["table_name"], each["name"]): (each["kind"], each["shows"], each["takes"]) for each in policies}
    return [
        f"policy {name} of {table} is missing: make it again as its migration does"
        for table, name in sorted(wanted.keys() - found.keys())
    ] + [
        f"policy {name} of {table} is not as the migrations made it: drop it, or make it again as its migration does"
        for (table, name), made in sorted(found.items())
        if wanted.get((table, name)) != made
    ]
