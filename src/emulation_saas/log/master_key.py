"""The service's master key: 32 random bytes in a file, in base64. It wraps the keys of provinces and nothing else.

    master key (a file) ──wraps──▶ province key ──wraps──▶ personal keys ──▶ sealed fields of events
                                   └────────── sealing, in the database ──────────┘

Whoever has the database alone can open no personal field. Whoever loses the file has erased all of them at once: keep a
copy of it apart from the machine, and not beside the backups of the database.
"""

import base64
import binascii
import secrets
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from emulation_saas.log.key_files import demand_private, write_once

KEY_BYTES: Final = 32
WRAPPED_BYTES: Final = 40
"""A key wrapped by another (AES key wrap, RFC 3394)."""


class MasterKeyError(Exception):
    """The master key is missing, malformed or not the one that wrapped this database's keys; the message says which."""


class MasterKey:
    """Wraps and unwraps the keys of provinces."""

    def __init__(self, key: bytes) -> None:
        """Take the 32 bytes."""
        self._key = key

    def wrap(self, province_key: bytes) -> bytes:
        """Return a province's key as it may lie in the database: 40 bytes."""
        return aes_key_wrap(self._key, province_key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return a province's key.

        Raises:
            MasterKeyError: another master key wrapped it.
        """
        try:
            return aes_key_unwrap(self._key, wrapped)
        except InvalidUnwrap as error:
            msg = "the master key is not the one that wrapped the keys of this database: put the right file back"
            raise MasterKeyError(msg) from error


class NoMasterKey(MasterKey):
    """Stands where nothing personal is opened or sealed: an export takes events as they lie there."""

    def __init__(self) -> None:
        """Take nothing."""
        super().__init__(b"")

    def wrap(self, province_key: bytes) -> bytes:
        """Refuse."""
        return self.unwrap(province_key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """Refuse: `MasterKeyError`."""
        del wrapped
        raise MasterKeyError("the master key is needed for what is personal, and none was named")


def make_master_key(path: Path) -> None:
    """Make a new key at a path; a file that is there stays."""
    write_once(path, base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")


def read_master_key(path: Path) -> MasterKey:
    """Return the key of a file.

    Raises:
        MasterKeyError: there is no such file, or it holds no key.
        KeyExposedError: others may read it.
    """
    try:
        demand_private(path)
        text = path.read_bytes()
    except OSError as error:
        msg = f"the master key cannot be read: {error}"
        raise MasterKeyError(msg) from error
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        msg = f"{path} is no master key: it holds 32 random bytes in base64"
        raise MasterKeyError(msg)
    return MasterKey(key)
