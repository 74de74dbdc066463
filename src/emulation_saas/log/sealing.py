"""Personal fields: sealed before the event's bytes are made, so that erasing is destroying a key.

Per person and version a 32-byte key; from it an AES-256-GCM key and an id that commits to it (`kid`), so that no second
key opens the same bytes to another text. The place in the log is authenticated with it: nothing can be transplanted.
"""

import base64
import secrets
from collections.abc import Iterable
from time import monotonic
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.log.shapes import Shape
from emulation_saas.postgres.database import Database
from emulation_saas.postgres.statements import load_statements

ALGORITHM: Final = "A256GCM"
KEYS_KEPT_S: Final = 60.0
"""How long keys stay in memory: a destroyed key stops opening anything within this time."""

_STATEMENTS: Final = load_statements("emulation_saas.log")
_encoder: Final = msgspec.json.Encoder(order="sorted")


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """How a personal value stands in the log's bytes."""

    algorithm: str = msgspec.field(name="$enc")
    c: str
    kid: str
    n: str


class Opener:
    """The keys of one province at one moment: seals for persons whose key it holds, opens what it can."""

    def __init__(self, province: ProvinceId, newest: dict[str, tuple[bytes, str]], by_kid: dict[str, bytes]) -> None:
        """Hold the newest key of each person with its id, and every key by its id."""
        self._province = province
        self._newest = newest
        self._by_kid = by_kid

    def knows(self, person: str) -> bool:
        """Tell whether there is a key to seal with for the person."""
        return person in self._newest

    def seal(self, data: dict[str, Any], shape: Shape, *, position: int, pointer: str = "/data") -> None:
        """Replace the personal values of an event's data, in place."""
        for field, subject in shape.personal.items():
            encryption, kid = self._newest[data[subject]]
            nonce = secrets.token_bytes(12)
            bound = _bound(self._province, position, f"{pointer}/{field}", kid)
            sealed = AESGCM(encryption).encrypt(nonce, _encoder.encode(data[field]), bound)
            data[field] = {"$enc": ALGORITHM, "c": spell_bytes(sealed), "kid": kid, "n": spell_bytes(nonce)}
        for field, inner in shape.nested.items():
            for part, path in _parts(data.get(field), f"{pointer}/{field}"):
                self.seal(part, inner, position=position, pointer=path)

    def open(self, data: dict[str, Any], shape: Shape, *, position: int, pointer: str = "/data") -> None:
        """Put the personal values back, in place: None where the key is gone."""
        for field in shape.personal:
            data[field] = self._opened(data[field], position, f"{pointer}/{field}")
        for field, inner in shape.nested.items():
            for part, path in _parts(data.get(field), f"{pointer}/{field}"):
                self.open(part, inner, position=position, pointer=path)

    def _opened(self, value: dict[str, Any], position: int, pointer: str) -> object:
        sealed = msgspec.convert(value, Sealed)
        key = self._by_kid.get(sealed.kid)
        if key is None:
            return None
        bound = _bound(self._province, position, pointer, sealed.kid)
        try:
            return msgspec.json.decode(AESGCM(key).decrypt(read_bytes(sealed.n), read_bytes(sealed.c), bound))
        except InvalidTag:
            return None


class Keyring:
    """Where a province's personal keys come from: their own schema, read and filled by their own role."""

    def __init__(self, database: Database, province: ProvinceId) -> None:
        """Begin with no key in memory."""
        self._database = database
        self._province = province
        self._newest: dict[str, tuple[bytes, str]] = {}
        self._by_kid: dict[str, bytes] = {}
        self._read_at = -KEYS_KEPT_S

    async def opener(self, *, persons: Iterable[str] = (), kids: Iterable[str] = ()) -> Opener:
        """Return an opener with a key for each of these persons, made now where there is none.

        Args:
            persons: whose fields are about to be sealed.
            kids: key ids that are about to be opened; keys made elsewhere are read again for them.
        """
        if monotonic() - self._read_at >= KEYS_KEPT_S or any(kid not in self._by_kid for kid in kids):
            await self._read()
        missing = sorted({person for person in persons if person not in self._newest})
        if missing:
            async with self._database.in_province_keys(self._province) as connection:
                fresh = [secrets.token_bytes(32) for _ in missing]
                await connection.execute(_STATEMENTS["make_subject_keys"], self._province, missing, fresh)
            await self._read()
        return Opener(self._province, self._newest, self._by_kid)

    async def _read(self) -> None:
        async with self._database.in_province_keys(self._province) as connection:
            rows = await connection.fetch(_STATEMENTS["subject_keys"], self._province)
        derived = [(row["person"], derive(row["key"])) for row in rows]
        self._newest = dict(derived)  # in order of version: the newest stays
        self._by_kid = {kid: encryption for _, (encryption, kid) in derived}
        self._read_at = monotonic()


def derive(key: bytes) -> tuple[bytes, str]:
    """Return the encryption key and the key id of a person's key."""
    return _expand(key, b"td/enc"), spell_bytes(_expand(key, b"td/kid"))


def spell_bytes(data: bytes) -> str:
    """Spell bytes as the log does: base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def read_bytes(text: str) -> bytes:
    """Read bytes as the log spells them."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def persons_in(data: dict[str, Any], shape: Shape) -> set[str]:
    """Return the persons whose fields an event's data holds."""
    persons = {data[subject] for subject in shape.personal.values()}
    for field, inner in shape.nested.items():
        for part, _ in _parts(data.get(field), field):
            persons |= persons_in(part, inner)
    return persons


def kids_in(data: dict[str, Any], shape: Shape) -> set[str]:
    """Return the ids of the keys that an event's stored data needs."""
    kids = {data[field]["kid"] for field in shape.personal}
    for field, inner in shape.nested.items():
        for part, _ in _parts(data.get(field), field):
            kids |= kids_in(part, inner)
    return kids


def _expand(key: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key)


def _bound(province: ProvinceId, position: int, pointer: str, kid: str) -> bytes:
    return f"{province}|{position}|{pointer}|{kid}".encode()


def _parts(value: Any, pointer: str) -> list[tuple[dict[str, Any], str]]:  # noqa: ANN401 - builtins of any shape
    match value:
        case None:
            return []
        case dict():
            return [(value, pointer)]
        case _:
            return [(part, f"{pointer}/{index}") for index, part in enumerate(value)]
