"""Faults to bring into the sound schema, and what the catalogue says of it then."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from emulation_saas.postgres.server import OWNER_ROLE
from tests.isolation.catalogue import OWN_PROVINCE, faults

if TYPE_CHECKING:
    from tests.database import Connection

# A table as a later migration should make it.
SOUND_TABLE: Final = """
CREATE TABLE notes (province_id uuid NOT NULL, handle text NOT NULL, PRIMARY KEY (province_id, handle));
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes FORCE ROW LEVEL SECURITY;
CREATE POLICY own_province ON notes TO emulation_app
USING (province_id = current_setting('emulation.province')::uuid)
WITH CHECK (province_id = current_setting('emulation.province')::uuid);
GRANT SELECT, INSERT ON notes TO emulation_app;
"""


@dataclass(frozen=True)
class Mutant:
    """A fault, the SQL that brings it in, and what must be said of it: this and nothing else."""

    name: str
    sql: str
    said: tuple[str, ...]
    role: str = field(default=OWNER_ROLE, kw_only=True)


async def said_of(mutant: Mutant, administrator: "Connection") -> list[str]:
    """Return the faults of the schema with the mutant in it; roll it back, as roles are shared by all databases."""
    transaction = administrator.transaction()
    await transaction.start()
    try:
        await administrator.execute(f"SET LOCAL ROLE {mutant.role}")
        await administrator.execute(mutant.sql)
        await administrator.execute("RESET ROLE")
        return await faults(administrator)
    finally:
        await transaction.rollback()


def misread(table: str, *, using: str = OWN_PROVINCE, check: str = OWN_PROVINCE) -> str:
    """Return what is said of a table whose policy has another text."""
    kind = "PERMISSIVE ALL TO emulation_app"
    return f"{table}: policy own_province reads {kind} USING {using} WITH CHECK {check}"
