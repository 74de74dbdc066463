"""Where a province's personal keys come from: their own schema, read, filled and emptied by their own role.

They lie there wrapped by the province's key, which is wrapped by the master key (`master_key`). Keys stay in memory for
a minute at most, so what a process can open ends a minute after the key has been destroyed, in every process.
"""

import secrets
from collections.abc import Collection
from time import monotonic
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

from emulation_saas.kernel.ids import PersonId, ProvinceId
from emulation_saas.log.master_key import KEY_BYTES, MasterKey, MasterKeyError
from emulation_saas.log.sealing import NONE_ERASED, Erasures, Opener, PersonVersion, derive, version_of
from emulation_saas.postgres.database import Database
from emulation_saas.postgres.statements import load_statements

if TYPE_CHECKING:
    from asyncpg import Record

    from emulation_saas.postgres.database import Connection

KEYS_KEPT_S: Final = 60.0
"""How long keys stay in memory: a destroyed key stops opening anything within this time."""

_STATEMENTS: Final = load_statements("emulation_saas.log")


class Keyring:
    """The personal keys of one province, in this process."""

    def __init__(self, database: Database, province: ProvinceId, master: MasterKey) -> None:
        """Begin with no key in memory."""
        self._database = database
        self._province = province
        self._master = master
        self._by_version: dict[PersonVersion, tuple[bytes, str]] = {}
        self._by_kid: dict[str, bytes] = {}
        self._gone: set[str] = set()
        """Ids that had no key when the keys were last read. A key is there before its id is, so it was destroyed."""
        self._read_at = -KEYS_KEPT_S
        self._erasures: Erasures = NONE_ERASED
        self._destroyed = 0
        """How often this process has destroyed keys: what was being read meanwhile is read again."""

    async def opener(self, *, needed: Collection[PersonVersion] = (), kids: Collection[str] = ()) -> Opener:
        """Return an opener with each of these keys, made now where there is none.

        Args:
            needed: the keys by which fields are about to be sealed.
            kids: key ids that are about to be opened; keys made elsewhere are read again for them.

        Raises:
            MasterKeyError: the keys were wrapped by another master key.
        """
        wanted = set(kids)
        if monotonic() - self._read_at >= KEYS_KEPT_S or not wanted <= self._by_kid.keys() | self._gone:
            await self._read()
        missing = sorted(set(needed) - self._by_version.keys())
        if missing:
            before = self._destroyed
            await self._make(missing)
            made = await self._stored({person for person, _ in missing})
            if before == self._destroyed:
                self._by_version.update(made)
                self._by_kid.update(self._opening(made))
            else:
                await self._read()
        self._gone |= wanted - self._by_kid.keys()
        return Opener(self._province, self._by_version, self._by_kid)

    async def kids_of(self, person: PersonId) -> list[str]:
        """Return the ids of the keys that a person has now, in order of version."""
        return [kid for _, (_, kid) in sorted((await self._stored({person})).items())]

    async def derived(self, purpose: str) -> bytes:
        """Return 32 bytes derived from the province's key; the same for a purpose as long as the province has its key.

        Raises:
            MasterKeyError: the key was wrapped by another master key.
        """
        async with self._database.in_province_keys(self._province) as connection:
            province_key = await self._province_key(connection)
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(province_key)

    def erased(self, erasures: Erasures) -> None:
        """Open nothing any more by keys made before one of these erasures, destroyed already or not."""
        self._erasures = erasures
        self._by_kid = self._opening(self._by_version)

    async def destroy(self, erasures: Erasures) -> None:
        """Destroy every key made before one of these erasures. Doing it again changes nothing."""
        if not erasures:
            return
        async with self._database.in_province_keys(self._province) as connection:
            destroyed = await connection.fetch(
                _STATEMENTS["destroy_subject_keys"], self._province, list(erasures), list(erasures.values())
            )
        if destroyed:
            self._destroyed += 1
            self._by_version, self._by_kid, self._read_at = {}, {}, -KEYS_KEPT_S

    async def _read(self) -> None:
        """Read all keys anew."""
        self._by_version = await self._stored()
        self._by_kid = self._opening(self._by_version)
        self._gone, self._read_at = set(), monotonic()

    async def _stored(self, persons: Collection[str] | None = None) -> dict[PersonVersion, tuple[bytes, str]]:
        """Return the keys of these persons, or of all, as they lie there now, each with its id."""
        wanted = None if persons is None else list(persons)
        while True:
            before = self._destroyed
            async with self._database.in_province_keys(self._province) as connection:
                province_key = await self._province_key(connection)
                rows = await connection.fetch(_STATEMENTS["subject_keys"], self._province, wanted)
                await self._wrap_clear(connection, province_key, rows)
            if before == self._destroyed:
                break
        return {
            (row["person"], row["version"]): derive(
                row["key"] if _is_clear(row) else aes_key_unwrap(province_key, row["key"])
            )
            for row in rows
        }

    def _opening(self, by_version: dict[PersonVersion, tuple[bytes, str]]) -> dict[str, bytes]:
        """Return by their ids the keys that open what they have sealed."""
        return {
            kid: encryption
            for (person, version), (encryption, kid) in by_version.items()
            if version >= version_of(person, self._erasures)
        }

    async def _make(self, missing: list[PersonVersion]) -> None:
        async with self._database.in_province_keys(self._province) as connection:
            province_key = await self._province_key(connection)
            fresh = [aes_key_wrap(province_key, secrets.token_bytes(KEY_BYTES)) for _ in missing]
            persons, versions = [person for person, _ in missing], [version for _, version in missing]
            await connection.execute(_STATEMENTS["make_subject_keys"], self._province, persons, versions, fresh)

    async def _province_key(self, connection: "Connection") -> bytes:
        """Return the key that wraps the personal keys, made now if there is none."""
        wrapped: bytes | None = await connection.fetchval(_STATEMENTS["province_key"], self._province)
        if wrapped is None:
            made = self._master.wrap(secrets.token_bytes(KEY_BYTES))
            await connection.execute(_STATEMENTS["keep_province_key"], self._province, made)
            wrapped = await connection.fetchval(_STATEMENTS["province_key"], self._province)
        return self._master.unwrap(wrapped or b"")

    async def _wrap_clear(self, connection: "Connection", province_key: bytes, rows: "list[Record]") -> None:
        """Wrap the keys that lie in the clear, as all did before there were province keys."""
        clear = [row for row in rows if _is_clear(row)]
        if clear:
            await connection.execute(
                _STATEMENTS["wrap_subject_keys"],
                self._province,
                [row["person"] for row in clear],
                [row["version"] for row in clear],
                [row["key"] for row in clear],
                [aes_key_wrap(province_key, row["key"]) for row in clear],
            )


def _is_clear(row: "Record") -> bool:
    return len(row["key"]) == KEY_BYTES


async def demand_master_key(database: Database, master: MasterKey) -> None:
    """Demand that a master key is the one that wrapped the province keys of a database.

    Raises:
        MasterKeyError: it is another.
    """
    for _, wrapped in await province_keys(database):
        master.unwrap(wrapped)


async def rewrap(database: Database, old: MasterKey, new: MasterKey) -> int:
    """Wrap all province keys by another master key; return how many were. Interrupted, it is run again.

    Raises:
        MasterKeyError: neither of the two wrapped one of them.
    """
    rewrapped = 0
    for province, wrapped in await province_keys(database):
        try:
            key = old.unwrap(wrapped)
        except MasterKeyError:
            new.unwrap(wrapped)  # by an earlier run that did not finish
            continue
        async with database.in_province_keys(province) as connection:
            await connection.execute(_STATEMENTS["rewrap_province_key"], province, new.wrap(key))
        rewrapped += 1
    return rewrapped


async def province_keys(database: Database) -> list[tuple[ProvinceId, bytes]]:
    """Return the wrapped keys of all provinces that have one."""
    found: list[tuple[ProvinceId, bytes]] = []
    for row in await database.fetch(_STATEMENTS["all_provinces"]):
        province = ProvinceId(row["province_id"])
        async with database.in_province_keys(province) as connection:
            wrapped = await connection.fetchval(_STATEMENTS["province_key"], province)
        if wrapped is not None:
            found.append((province, wrapped))
    return found
