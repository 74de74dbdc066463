"""Personal fields: sealed before the event's bytes are made, so that erasing is destroying a key.

Per person and version a 32-byte key; from it an AES-256-GCM key and an id that commits to it (`kid`), so that no second
key opens the same bytes to another text. The place in the log is authenticated with it: nothing can be transplanted.
"""

import base64
import secrets
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from emulation_saas.kernel.ids import PersonId, ProvinceId
from emulation_saas.log.shapes import Shape

ALGORITHM: Final = "A256GCM"

Erasures = Mapping[PersonId, int]
"""How often each person has been erased; persons who never were are absent."""
PersonVersion = tuple[str, int]
"""Which key: whose, and the version."""
NONE_ERASED: Final[Erasures] = {}

_encoder: Final = msgspec.json.Encoder(order="sorted")


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """How a personal value stands in the log's bytes."""

    algorithm: str = msgspec.field(name="$enc")
    c: str
    kid: str
    n: str


class Opener:
    """The keys of one province at one moment: seals for persons whose key it holds, opens what it can.

    A person's key has a version: one more than the erasures of the person so far. So what is recorded after an erasure
    is sealed with a key that no erasure has put an end to, even where the old one still lies about.
    """

    def __init__(
        self,
        province: ProvinceId,
        by_version: Mapping[PersonVersion, tuple[bytes, str]],
        by_kid: Mapping[str, bytes],
        erasures: Erasures = NONE_ERASED,
    ) -> None:
        """Hold each key with its id by person and version, every key by its id, and who has been erased."""
        self._province = province
        self._by_version = by_version
        self._by_kid = by_kid
        self._erasures = erasures

    def after(self, erasures: Erasures) -> "Opener":
        """Return the same keys, to seal what is recorded after these erasures."""
        return Opener(self._province, self._by_version, self._by_kid, erasures)

    def knows(self, key: PersonVersion) -> bool:
        """Tell whether there is this key to seal with."""
        return key in self._by_version

    def seal(self, data: dict[str, Any], shape: Shape, *, position: int, pointer: str = "/data") -> None:
        """Replace the personal values of an event's data, in place."""
        for field, subject in shape.personal.items():
            person = data[subject]
            encryption, kid = self._by_version[person, version_of(person, self._erasures)]
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


def version_of(person: str, erasures: Erasures) -> int:
    """Return the version of the key that seals what is recorded of a person now."""
    return erasures.get(PersonId(person), 0) + 1


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
